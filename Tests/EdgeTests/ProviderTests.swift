import Platform
import Foundation
import HTTPTypes
import Pipeline
import Testing

@testable import Edge

/// The tip of `main` after the push that the deliveries tell of.
private let tip = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"
private let zeros = String(repeating: "0", count: 40)

/// What the providers publish of their formats, as far as it matters here.
private enum Sample {
    static func github(ref: String, after: String = tip, deleted: Bool = false) -> String {
        """
        {"ref":"\(ref)","before":"\(zeros)","after":"\(after)","created":false,"deleted":\(deleted),"forced":false,
         "base_ref":null,"compare":"https://github.com/octo/site/compare/x...y",
         "commits":[{"id":"\(tip)","message":"Update \\"pricing\\" \u{1F680}","added":[],"removed":[],"modified":["index.html"]}],
         "head_commit":{"id":"\(tip)"},"pusher":{"name":"octocat","email":"octocat@example.org"},
         "repository":{"id":1,"full_name":"octo/site","default_branch":"main","master_branch":"main","private":true}}
        """
    }
    static let githubPing =
        #"{"zen":"Keep it logically awesome.","hook_id":1,"hook":{"type":"Repository","events":["push"]}}"#

    static func gitlab(kind: String, ref: String, after: String = tip) -> String {
        """
        {"object_kind":"\(kind)","event_name":"\(kind)","before":"\(zeros)","after":"\(after)","ref":"\(ref)",
         "ref_protected":true,"checkout_sha":\(after == zeros ? "null" : "\"\(after)\""),"user_name":"Jane","project_id":15,
         "project":{"id":15,"name":"site","default_branch":"main","path_with_namespace":"group/site"},
         "commits":[],"total_commits_count":0,"repository":{"name":"site","url":"git@gitlab.example.org:group/site.git"}}
        """
    }

    static func bitbucketCloud(type: String, name: String, gone: Bool = false) -> String {
        let side = #"{"type":"\#(type)","name":"\#(name)","target":{"type":"commit","hash":"\#(tip)"}}"#
        return """
            {"actor":{"type":"user"},"repository":{"type":"repository","full_name":"team/site"},
             "push":{"changes":[{"old":\(gone ? side : "null"),"new":\(gone ? "null" : side),"created":false,"closed":\(gone),
             "forced":false,"commits":[],"truncated":false}]}}
            """
    }

    static let bitbucketServer = """
        {"eventKey":"repo:refs_changed","date":"2026-01-13T22:26:25+1100","actor":{"name":"admin"},
         "repository":{"slug":"site","project":{"key":"WORK"}},
         "changes":[{"ref":{"id":"refs/heads/main","displayId":"main","type":"BRANCH"},"refId":"refs/heads/main",
         "fromHash":"\(zeros)","toHash":"\(tip)","type":"UPDATE"}]}
        """
}

private func delivery(_ body: String, _ fields: [String: String]) -> WebhookRequest {
    var all: HTTPFields = [:]
    for (name, value) in fields { all[HTTPField.Name(name)!] = value }
    return WebhookRequest(fields: all, body: Array(body.utf8))
}

private func code(_ body: String, _ secret: String) -> String {
    MessageCode(of: Array(body.utf8), key: secret.utf8).bytes
        .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

@Suite struct `What a delivery tells` {
    private static let main = Push(ref: "refs/heads/main", commit: tip, defaultBranch: "main")
    private static let form = ["Content-Type": "application/x-www-form-urlencoded"]

    static let cases: [(Provider, [String: String], String, Event)] = {
        var cases: [(Provider, [String: String], String, Event)] = [
            (.github, ["X-GitHub-Event": "ping"], Sample.githubPing, .ping),
            (.github, ["X-GitHub-Event": "issues"], #"{"action":"opened"}"#, .other),
            (.github, [:], "{}", .malformed),
            (.github, ["X-GitHub-Event": "push"], "{", .malformed),
            (.github, ["X-GitHub-Event": "push"], "[]", .malformed),
            (.github, ["X-GitHub-Event": "push"], #"{"ref":7}"#, .malformed),
            (.gitea, ["X-Gitea-Event": "push"], Sample.github(ref: "refs/heads/main"), .pushes([main])),
            (.gitea, ["X-Gitea-Event": "delete"], #"{"ref":"main","ref_type":"branch"}"#, .other),
            (.forgejo, ["X-Forgejo-Event": "push"], Sample.github(ref: "refs/heads/main"), .pushes([main])),
            (.gitlab, [:], Sample.gitlab(kind: "push", ref: "refs/heads/main"), .pushes([main])),
            (
                .gitlab, [:], Sample.gitlab(kind: "tag_push", ref: "refs/tags/v1.0.0"),
                .pushes([Push(ref: "refs/tags/v1.0.0", commit: tip, defaultBranch: "main")])
            ),
            (
                .gitlab, [:], Sample.gitlab(kind: "push", ref: "refs/heads/gone", after: zeros),
                .pushes([Push(ref: "refs/heads/gone", commit: nil, defaultBranch: "main")])
            ),
            (.gitlab, [:], #"{"object_kind":"issue"}"#, .other),
            (.gitlab, [:], "", .malformed),
            (
                .bitbucket, ["X-Event-Key": "repo:push"], Sample.bitbucketCloud(type: "branch", name: "main"),
                .pushes([Push(ref: "refs/heads/main", commit: tip)])
            ),
            (
                .bitbucket, ["X-Event-Key": "repo:push"], Sample.bitbucketCloud(type: "annotated_tag", name: "v2"),
                .pushes([Push(ref: "refs/tags/v2", commit: tip)])
            ),
            (
                .bitbucket, ["X-Event-Key": "repo:push"],
                Sample.bitbucketCloud(type: "branch", name: "gone", gone: true),
                .pushes([Push(ref: "refs/heads/gone", commit: nil)])
            ),
            (
                .bitbucket, ["X-Event-Key": "repo:refs_changed"], Sample.bitbucketServer,
                .pushes([Push(ref: "refs/heads/main", commit: tip)])
            ),
            (.bitbucket, ["X-Event-Key": "diagnostics:ping"], #"{"test":true}"#, .ping),
            (.bitbucket, ["X-Event-Key": "pullrequest:created"], "{}", .other),
            (.generic, [:], "", .anything),
            (.generic, [:], "{}", .anything),
            (.generic, [:], #"{"ref":"refs/heads/main"}"#, .pushes([Push(ref: "refs/heads/main", commit: nil)])),
            (.generic, [:], "ref=main", .malformed),
        ]
        let pushes: [(String, String, Bool, String?)] = [
            ("refs/heads/main", tip, false, tip), ("refs/tags/v1.0.0", tip, false, tip),
            ("refs/heads/gone", zeros, true, nil), ("refs/heads/main", "../../etc/passwd", false, nil),
        ]
        for (ref, after, deleted, commit) in pushes {
            let body = Sample.github(ref: ref, after: after, deleted: deleted)
            let event = Event.pushes([Push(ref: ref, commit: commit, defaultBranch: "main")])
            cases.append((.github, ["X-GitHub-Event": "push"], body, event))
            let escaped = body.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
            cases.append((.github, form.merging(["X-GitHub-Event": "push"]) { $1 }, "payload=" + escaped, event))
        }
        return cases
    }()

    @Test(arguments: cases.indices)
    func `is read as its sender publishes it`(number: Int) {
        let (provider, fields, body, event) = Self.cases[number]
        #expect(provider.event(of: delivery(body, fields)) == event, "\(provider) \(fields) \(body)")
    }
}

@Suite struct `A delivery is accepted` {
    private static let body = Sample.github(ref: "refs/heads/main")
    private static let secret = "it's a Secret to Everybody"
    private static let hook = ["X-Hub-Signature-256", "X-Hub-Signature", "X-Gitea-Signature", "X-Forgejo-Signature"]

    @Test func `when its signature is right, and GitHub's own example is`() {
        let example = delivery(
            "Hello, World!",
            ["X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"])
        #expect(Provider.github.proof.accepts(example, secrets: ["It's a Secret to Everybody"], now: 0))
        #expect(!Provider.github.proof.accepts(example, secrets: ["it's a secret to everybody"], now: 0))
    }

    @Test(arguments: [
        (Provider.github, "X-Hub-Signature-256", "sha256="), (.bitbucket, "X-Hub-Signature", "sha256="),
        (.gitea, "X-Gitea-Signature", ""), (.forgejo, "X-Forgejo-Signature", ""), (.forgejo, "X-Gitea-Signature", ""),
    ])
    func `by any of the secrets, and by nothing else`(provider: Provider, field: String, prefix: String) {
        let right = code(Self.body, Self.secret)
        func accepts(_ fields: [String: String], _ secrets: [String] = ["old", Self.secret], body: String = Self.body)
            -> Bool
        {
            provider.proof.accepts(delivery(body, fields), secrets: secrets, now: 0)
        }
        #expect(accepts([field: prefix + right]))
        #expect(accepts([field: prefix + right.uppercased()]))
        #expect(!accepts([field: prefix + right], ["old"]))
        #expect(!accepts([field: prefix + right], []))
        #expect(!accepts([field: prefix + right], body: Self.body + " "))
        #expect(!accepts([:]))
        for wrong in ["", prefix, prefix + right.dropLast(), prefix + right + "00", "sha1=" + right, prefix + "zz"] {
            #expect(!accepts([field: wrong]), "\(wrong)")
        }
        for other in Self.hook where other != field && provider != .forgejo {
            #expect(!accepts([other: prefix + right]), "\(other)")
        }
        // An empty secret is none.
        #expect(!accepts([field: prefix + code(Self.body, "")], ["old"]))
    }

    @Test func `by a token that is equal`() {
        for (provider, field, prefix) in [
            (Provider.gitlab, "X-Gitlab-Token", ""), (.generic, "Authorization", "Bearer "),
        ] {
            func accepts(_ token: String) -> Bool {
                provider.proof.accepts(delivery("", [field: prefix + token]), secrets: ["a", Self.secret], now: 0)
            }
            #expect(accepts(Self.secret) && accepts("a"))
            for wrong in ["", "b", "aa", Self.secret + "x", String(Self.secret.dropLast())] { #expect(!accepts(wrong)) }
        }
        #expect(!Provider.generic.proof.accepts(delivery("", ["Authorization": "Basic a"]), secrets: ["a"], now: 0))
    }

    @Test func `as Standard Webhooks signs it, while it is new`() {
        let key = Data(repeating: 7, count: 32)
        let (id, time) = ("msg_1", 1_790_000_000.0)
        let signed = "\(id).\(Int(time)).\(Self.body)"
        let mac = Data(MessageCode(of: Array(signed.utf8), key: key).bytes)
        func accepts(_ signature: String, now: Double = time, _ secret: String? = nil, body: String = Self.body) -> Bool
        {
            let fields = [
                "webhook-id": id, "webhook-timestamp": "\(Int(time))", "webhook-signature": signature,
                // It must not help.
                "X-Gitlab-Token": "whsec_" + key.base64EncodedString(),
            ]
            return Provider.gitlab.proof.accepts(
                delivery(body, fields), secrets: [secret ?? "whsec_" + key.base64EncodedString()], now: now)
        }
        let right = "v1," + mac.base64EncodedString()
        #expect(accepts(right) && accepts("v1a,xx v1,AAAA \(right)", now: time + 299))
        #expect(!accepts(right, now: time + 301) && !accepts(right, now: time - 301))
        #expect(!accepts(right, "whsec_" + Data(repeating: 8, count: 32).base64EncodedString()))
        #expect(!accepts(right, body: "{}") && !accepts("v1,") && !accepts("v2," + mac.base64EncodedString()))
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `Notifications` {
    private struct Message: Decodable {
        struct Tree: Decodable { let commit: String, since: String, files: Int }
        struct Failure: Decodable { let stage: String, cause: String, remedy: String }
        let schema: Int, event: String, text: String, time: String, host: String, repository: String, ref: String
        let destination: String, published: Tree?, previous: String?, failure: Failure?
    }

    private static func message(_ request: String) throws -> Message {
        let body = try #require(request.range(of: "\r\n\r\n")).upperBound
        return try JSONDecoder().decode(Message.self, from: Data(request[body...].utf8))
    }

    private static func field(_ name: String, _ request: String) -> String? {
        request.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name + ": ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }

    private static func answer(_ status: String, _ more: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\(more)Connection: close\r\n\r\n"
    }

    /// The header alone comes at first, now and then.
    private static func isWhole(_ request: String) -> Bool {
        guard let end = request.range(of: "\r\n\r\n"),
            let length = field("content-length", request).flatMap({ Int($0) })
        else { return false }
        return request[end.upperBound...].utf8.count >= length
    }

    private func start(_ url: String, _ source: String, _ folder: TemporaryFolder, _ more: [String: String] = [:])
        throws
        -> Sidekick
    {
        try Sidekick(
            [source, folder("www"), "--delay", "200ms", "--backoff", "200ms"],
            environment: ["SIDEKICK_NOTIFY_URL": url].merging(more) { $1 })
    }

    @Test func `tell of each publish, of the first failure and of the recovery, signed in both ways`() async throws {
        let trap = try HTTPTrap { Self.isWhole($0) ? Self.answer("204 No Content") : nil }
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        let first = try source.commit(["index.html": "one"])
        try Command.run(["git", "clone", "-q", "--bare", source.path, folder("site.git")])
        let secret = "k3y/of w&bhooks"
        let url = "http://127.0.0.1:\(trap.port)/hooks/s3cr3t?token=alsos3cr3t"
        let sidekick = try start(url, folder("site.git"), folder, ["SIDEKICK_NOTIFY_SECRET": secret])
        func received() -> [String] { trap.requests.filter { Self.isWhole($0) } }
        try await eventually("the publish") { received().count == 1 }
        try Command.run(["mv", folder("site.git"), folder("gone.git")])
        try await eventually("the failure") { received().count == 2 }
        try await Task.sleep(for: .milliseconds(800))
        try Command.run(["mv", folder("gone.git"), folder("site.git")])
        try await eventually("the recovery") { received().count == 3 }
        let second = try source.commit(["index.html": "two"])
        try source.git("push", "-q", folder("site.git"), "HEAD:refs/heads/main")
        try await eventually("the second") { received().count == 4 }
        #expect(try await sidekick.stop() == 0)

        let messages = try received().map { try Self.message($0) }
        #expect(messages.map(\.event) == ["published", "failed", "recovered", "published"])
        #expect(messages.map { $0.published?.commit } == [first, first, first, second])
        #expect(messages.map(\.previous) == [nil, nil, nil, first])
        #expect(messages.allSatisfy { $0.schema == 1 && $0.destination == folder("www") && !$0.host.isEmpty })
        #expect(messages.allSatisfy { $0.ref == "refs/heads/main" && $0.repository == folder("site.git") })
        #expect(
            messages[1].failure?.stage == "discover" && messages[1].text.contains(messages[1].failure?.cause ?? "?"))
        for request in received() {
            #expect(request.hasPrefix("POST /hooks/s3cr3t?token=alsos3cr3t HTTP/1.1"))
            #expect(Self.field("content-type", request) == "application/json")
            let body = String(request[try #require(request.range(of: "\r\n\r\n")).upperBound...])
            try folder.write(body, to: "body")
            let plain = try Command.run(["openssl", "dgst", "-sha256", "-hmac", secret, "-r", folder("body")]).text
            #expect(Self.field("x-hub-signature-256", request) == "sha256=" + plain.prefix(64))
            let id = try #require(Self.field("webhook-id", request)),
                time = try #require(Self.field("webhook-timestamp", request))
            try folder.write("\(id).\(time).\(body)", to: "signed")
            let hex = try Command.run(["openssl", "dgst", "-sha256", "-hmac", secret, "-r", folder("signed")]).text
            let code = stride(from: 0, to: 64, by: 2).map { UInt8(hex.dropFirst($0).prefix(2), radix: 16) ?? 0 }
            #expect(Self.field("webhook-signature", request) == "v1," + Data(code).base64EncodedString())
        }
        #expect(!SecretHunt(["s3cr3t", secret]).isFound(in: sidekick.log), "\(sidekick.log)")
    }

    @Test func `that nobody takes are sent again, the newest alone, and after a kill by the next start`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let trap = try HTTPTrap { Self.isWhole($0) ? Self.answer("500 Oh no") : nil }
        let sidekick = try start("http://127.0.0.1:\(trap.port)/", source.path, folder)
        try await sidekick.prints("hook failed, will retry cause=\"was answered 500\"")
        for number in 1...5 {
            try source.commit(["index.html": "\(number)"])
            try await eventually("\(number) shows") { try folder.read("www/index.html") == "\(number)" }
        }
        let before = trap.requests.count
        try await eventually("again") { trap.requests.count > before }
        let last = try #require(trap.requests.last { Self.isWhole($0) })
        #expect(try Self.message(last).published?.commit == source.head)
        #expect(sidekick.log.components(separatedBy: "hook failed, will retry").count == 2, "told once")
        sidekick.send(SIGKILL)
        try await sidekick.wait()

        let good = try HTTPTrap { Self.isWhole($0) ? Self.answer("200 OK") : nil }
        let next = try start("http://127.0.0.1:\(good.port)/", source.path, folder)
        try await eventually("the next start sends it") { good.requests.contains { Self.isWhole($0) } }
        try await Task.sleep(for: .milliseconds(600))
        let received = good.requests.filter { Self.isWhole($0) }
        #expect(received.count == 1)
        #expect(try received.map { try Self.message($0).published?.commit } == [source.head])
        // The same is told again under the same name, so that a receiver can know it.
        #expect(Self.field("webhook-id", received[0]) == Self.field("webhook-id", last))
        #expect(try await next.stop() == 0)
    }

    @Test func `wait as long as the receiver says, follow no redirect, and hold up nothing`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let silent = try HTTPTrap { _ in nil }
        let folder = try TemporaryFolder()
        let held = try start(
            "http://127.0.0.1:\(silent.port)/", source.path, folder, ["SIDEKICK_HOOK_TIMEOUT": "5s"])
        try await eventually("it is asked") { !silent.requests.isEmpty }
        for number in 1...3 {
            let start = Date()
            try source.commit(["index.html": "\(number)"])
            try await eventually("\(number) shows") { try folder.read("www/index.html") == "\(number)" }
            #expect(try shownAt(folder("www")).timeIntervalSince(start) < 1)
        }
        try await held.prints("hook failed, will retry")
        #expect(held.log.contains("sent nothing for 5 s"), "\(held.log)")
        let end = Date()
        #expect(try await held.stop() == 0)
        #expect(try #require(held.endTime).timeIntervalSince(end) < 2)

        for (status, more, text) in [
            ("429 Too Many", "Retry-After: 3\r\n", "was answered 429"),
            (
                "302 Found", "Location: http://127.0.0.1:1/\r\n",
                "was answered 302: give the address that it redirects to"
            ),
        ] {
            let folder = try TemporaryFolder()
            let trap = try HTTPTrap { Self.isWhole($0) ? Self.answer(status, more) : nil }
            let sidekick = try start("http://127.0.0.1:\(trap.port)/", source.path, folder)
            try await sidekick.prints(text)
            if status.hasPrefix("429") {
                func whole() -> [ContinuousClock.Instant] {
                    zip(trap.requests, trap.times).filter { Self.isWhole($0.0) }.map(\.1)
                }
                try await eventually("then again") { whole().count > 1 }
                #expect(whole()[1] - whole()[0] > .seconds(2.9))
            }
            #expect(try await sidekick.stop() == 0)
        }
    }

    @Test func `go to a server whose certificate SIDEKICK_CA_FILE vouches for, and to no other`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let certificate = try folder.certificate("localhost", for: "DNS:localhost,IP:127.0.0.1")
        // It answers a POST with 405, which is an answer.
        let nginx = try await Nginx(gitRepositoriesIn: folder.path, certificate: certificate)
        let url = "https://localhost:\(nginx.port)/nowhere"
        let refused = try await Sidekick.once(
            [source.path, folder("www")], environment: ["SIDEKICK_NOTIFY_URL": url])
        #expect(refused.status == 75 && refused.log.contains("certificate"), "\(refused.log)")
        let trusted = try await Sidekick.once(
            [source.path, folder("www"), "--ca-file", folder("localhost.crt")],
            environment: ["SIDEKICK_NOTIFY_URL": url])
        #expect(trusted.status == 75 && trusted.log.contains("SIDEKICK_NOTIFY_URL was answered 4"), "\(trusted.log)")
        for bad in ["ftp://x/", "https://user:pass@host/", "not one", "https://"] {
            let (status, log) = try await Sidekick.once(
                [source.path, folder("bad")], environment: ["SIDEKICK_NOTIFY_URL": bad])
            #expect(status == 64 && log.contains("SIDEKICK_NOTIFY_URL is something else"), "\(log)")
            #expect(!log.contains("pass@"))
        }
    }
}

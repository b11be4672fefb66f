import Foundation
import TestSupport
import Testing

/// `sidekick check`: what a pass needs, before there is one.
@Suite struct `A check before the first pass` {
    private struct Item: Decodable {
        let name: String, verdict: String, found: String
        let remedy: String?
    }

    private func check(_ arguments: [String], environment: [String: String] = [:]) throws -> (
        status: Int32, items: [String: Item], text: String
    ) {
        let result = try Command.run(
            [Sidekick.binary, "check", "--json"] + arguments,
            environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }, mayFail: true)
        let items = try JSONDecoder().decode([String: [Item]].self, from: result.output)["items"] ?? []
        return (result.status, Dictionary(items.map { ($0.name, $0) }) { first, _ in first }, result.text)
    }

    /// Every path below a folder, with what changes when somebody writes there.
    private func state(_ folder: TemporaryFolder) throws -> [String: String] { try folder.snapshot() }

    @Test func `says that all is well, and changes nothing`() async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        let commit = try source.commit(["index.html": "one"])
        let (bare, _) = try source.bareClone()
        let daemon = try await GitDaemon(repositoriesIn: bare.path)
        let before = try state(folder)
        let found = try check([
            "git://127.0.0.1:\(daemon.port)/site.git", folder("new/www"), "--listen", "127.0.0.1:0", "--on-publish",
            "[\"true\"]",
        ])
        #expect(found.status == 0 && found.items.values.allSatisfy { $0.verdict == "ok" }, "\(found.text)")
        #expect(found.items["SIDEKICK_REF"]?.found == "refs/heads/main is \(commit)")
        #expect(found.items["DESTINATION"]?.found.contains("layout link, which the first pass makes") == true)
        #expect(found.items["repository"]?.found.contains("git's protocol v2") == true)
        #expect(found.items["hooks"]?.found.hasSuffix("/true") == true)
        #expect(try state(folder) == before)
    }

    @Test func `runs beside the daemon, whose port it is, and changes nothing of what that has`() async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        try source.commit(["a/index.html": "one"])
        let sidekick = try Sidekick([
            source.path, folder("www"), "--listen", "127.0.0.1:0", "--subdirectory", "a", "--delay", "1h",
        ])
        let port = try #require(try await sidekick.edge().address.split(separator: ":").last)
        let options = [source.path, folder("www"), "--listen", "127.0.0.1:\(port)", "--subdirectory", "a"]
        try await eventually("it publishes") { folder.has("www/index.html") }
        try await eventually("it is at rest") { folder.has(".sidekick/www/status.json") }
        let before = try folder.read(".sidekick/www/status.json")
        let found = try check(options)
        #expect(found.status == 0, "\(found.text)")
        #expect(found.items["SIDEKICK_LISTEN"]?.found.contains("is in use, as by the sidekick that runs") == true)
        #expect(found.items["DESTINATION"]?.found.contains("which process \(sidekick.pid) publishes into") == true)
        #expect(found.items["SIDEKICK_SUBDIRECTORY"]?.verdict == "ok")
        let other = try check([source.path, folder("other"), "--listen", "127.0.0.1:\(port)"])
        #expect(other.status == 73 && other.items["SIDEKICK_LISTEN"]?.verdict == "failed", "\(other.text)")
        let missing = try check([source.path, folder("www"), "--subdirectory", "b"])
        #expect(missing.status == 65 && missing.items["SIDEKICK_SUBDIRECTORY"]?.verdict == "failed", "\(missing.text)")
        #expect(try folder.read(".sidekick/www/status.json") == before)
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `names the first thing that does not work, with the status that a pass would end with`() async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        try source.commit(["index.html": "one"])
        let (bare, path) = try source.bareClone()
        let nginx = try await Nginx(gitRepositoriesIn: bare.path, login: (user: "reader", password: "s3cr3t"))
        let url = "http://127.0.0.1:\(nginx.port)/site.git"
        try folder.write("file", to: "file")
        try folder.write("nonsense\n", to: "keys")
        try folder.write("", to: "blank")
        let cases: [(arguments: [String], environment: [String: String], name: String, status: Int32)] = [
            ([path, folder("file")], [:], "DESTINATION", 73),
            (["http://nowhere.invalid/site.git", folder("www")], [:], "host name", 69),
            (["http://127.0.0.1:9/site.git", folder("www")], [:], "connection", 69),
            ([url, folder("www")], [:], "login", 77),
            ([url, folder("www")], ["SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD": "wrong"], "login", 77),
            (
                ["http://127.0.0.1:\(nginx.port)/none.git", folder("www")],
                ["SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD": "s3cr3t"], "repository", 69
            ),
            ([path, folder("www"), "--ref", "nope"], [:], "SIDEKICK_REF", 65),
            ([path, folder("www"), "--trusted-keys-file", folder("keys")], [:], "trusted keys", 64),
            ([path, folder("www"), "--on-publish", "[\"/nonexistent/x\"]"], [:], "hooks", 64),
            (
                [path, folder("www"), "--listen", "127.0.0.1:0"], ["SIDEKICK_WEBHOOK_SECRET_FILE": folder("blank")],
                "webhook secret", 64
            ),
            ([path, folder("www"), "--layout", "wrong"], [:], "settings", 64),
        ]
        for (arguments, environment, name, status) in cases {
            let found = try check(arguments, environment: environment)
            let failed = found.items.values.filter { $0.verdict == "failed" }
            #expect(found.status == status, "\(name): \(found.text)")
            #expect(failed.map(\.name) == [name], "\(name): \(found.text)")
            #expect(name == "settings" || failed.first?.remedy?.isEmpty == false, "\(name): \(found.text)")
            #expect(!found.text.contains("s3cr3t"))
            // The same, said by a pass.
            if status != 64 || name == "settings" {
                let once = try await Sidekick.once(arguments, environment: environment)
                #expect(once.status == status, "\(name): \(once.log)")
            }
        }
        let good = try check(
            [url, folder("www")], environment: ["SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD": "s3cr3t"])
        #expect(good.status == 0 && good.items["login"]?.verdict == "ok", "\(good.text)")
    }

    @Test func `is for people in lines, and without color where it is no terminal`() async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        try source.commit(["index.html": "one"])
        let result = try Command.run(
            [Sidekick.binary, "check", source.path, folder("www"), "--ref", "nope"],
            environment: ["PATH": "/usr/bin:/bin"], mayFail: true)
        #expect(result.status == 65)
        #expect(result.text.contains("ok      DESTINATION ") && result.text.contains("FAILED  SIDEKICK_REF "))
        #expect(!result.text.contains("\u{1B}"))
        #expect(!folder.has("www") && !folder.has(".sidekick"))
    }
}

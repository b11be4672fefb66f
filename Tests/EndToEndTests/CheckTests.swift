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
        #expect(found.status == 0, "\(found.text)")
        // What a commit names is known when it is here.
        #expect(found.items.values.filter { $0.verdict != "ok" }.map(\.name) == ["submodules"], "\(found.text)")
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

    @Test func `finds a typo in each of ten settings in one run`() throws {
        let typos = [
            "DELAY": "5x", "SIDEKICK_LAYOUT": "lnk", "SIDEKICK_TIMEOUT": "soon", "SIDEKICK_DEPTH": "one",
            "SIDEKICK_MTIME": "comit", "SIDEKICK_SYMLINKS": "skp", "SIDEKICK_MAX_SIZE": "10 G",
            "SIDEKICK_LISTEN": "8081",
            "SIDEKICK_VERIFY": "comit", "SIDEKICK_SUBDIRECTROY": "docs", "SIDEKICK_LOG_LEVEL": "loud",
        ]
        let result = try Command.run(
            [Sidekick.binary, "check", "--json", "https://host/site.git", "/nonexistent/www"],
            environment: ["PATH": "/usr/bin:/bin"].merging(typos) { $1 }, mayFail: true)
        #expect(result.status == 64)
        for name in typos.keys { #expect(result.text.contains(name), "\(name): \(result.text)") }
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `what --plan has fetched goes with it, whatever ends it`(signal: Int32) async throws {
        let remote = try await HTTPRemote([
            "index.html": "one", "noise": (0..<999).map { _ in UUID().uuidString }.joined(),
        ])
        let proxy = try FaultProxy(to: remote.server.port, fault: .slow(bytesPerSecond: 2_000))
        let (folder, temporary) = (try TemporaryFolder(), try TemporaryFolder())
        let check = try Sidekick(
            ["check", "--plan", remote.url(port: proxy.port), folder("www")],
            environment: ["TMPDIR": temporary.path])
        try await eventually("a pack comes") {
            try temporary.snapshot().keys.contains { $0.contains("/git") && $0.contains("pack") }
        }
        check.send(signal)
        #expect(try await check.wait() == 128 + signal)
        #expect(try temporary.snapshot() == [:] && folder.snapshot() == [:])
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

    private struct Plan: Decodable {
        struct Item: Decodable, Equatable { let path: String, bytes: Int64 }
        struct Omission: Decodable { let path: String, reason: String }
        let commit: String, ref: String
        let published: String?, held: String?, signer: String?
        let added: [Item], changed: [Item], removed: [Item], leftOut: [Omission]
        let bytes: Int64
    }

    private func plan(_ arguments: [String], environment: [String: String] = [:]) throws -> (
        status: Int32, plan: Plan?, text: String
    ) {
        struct Answer: Decodable { let plan: Plan? }
        let result = try Command.run(
            [Sidekick.binary, "check", "--plan", "--json"] + arguments,
            environment: ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }, mayFail: true)
        return (result.status, try JSONDecoder().decode(Answer.self, from: result.output).plan, result.text)
    }

    @Test(arguments: ["link", "exchange", "folder"])
    func `with --plan lists what a pass would change, and changes nothing`(layout: String) async throws {
        let (source, theme, bare, folder) = (
            try GitRepository(), try GitRepository(), try TemporaryFolder(), try TemporaryFolder()
        )
        try theme.commit(["style.css": "one"])
        try theme.pushBare(to: bare, as: "theme.git")
        let first = try source.commit(["index.html": "one", "gone": "1", "same": "1", "draft/a": "1"])
        try source.pushBare(to: bare, as: "site.git")
        let server = try await Nginx(gitRepositoriesIn: bare.path)
        let temporary = try TemporaryFolder()
        let arguments = [
            "http://127.0.0.1:\(server.port)/site.git", folder("www"), "--layout", layout, "--exclude", "draft/",
        ]
        let empty = try plan(arguments, environment: ["TMPDIR": temporary.path])
        #expect(empty.status == 0 && empty.plan?.published == nil, "\(empty.text)")
        #expect(empty.plan?.added.map(\.path) == ["gone", "index.html", "same"])
        #expect(empty.plan?.bytes == 5 && !folder.has("www"))
        #expect(try await Sidekick.once(arguments).status == 0)
        let same = try plan(arguments, environment: ["TMPDIR": temporary.path])
        #expect(same.plan.map { $0.added.count + $0.changed.count + $0.removed.count } == 0, "\(same.text)")
        #expect(same.plan?.published == first)

        symlink("/etc/passwd", source.folder("out"))
        let second = try source.commit(
            modules: [("theme", "../theme.git", theme.head), ("broken", "/nowhere", theme.head)],
            ["index.html": "three", "new/page": "12", "gone": nil])
        try source.pushBare(to: bare, as: "site.git")
        let before = try state(folder)
        let found = try plan(arguments, environment: ["TMPDIR": temporary.path])
        #expect(found.status == 0, "\(found.text)")
        let plan = try #require(found.plan)
        #expect(plan.commit == second && plan.published == first && plan.ref == "refs/heads/main")
        #expect(plan.added.map(\.path) == [".gitmodules", "broken", "new/page", "theme/style.css"], "\(found.text)")
        #expect(plan.changed == [.init(path: "index.html", bytes: 5)])
        #expect(plan.removed == [.init(path: "gone", bytes: 1)])
        #expect(plan.leftOut.map(\.path) == ["broken", "draft", "out"])
        #expect(plan.leftOut.first?.reason.contains("path on this machine") == true)
        #expect(plan.leftOut.last?.reason.contains("leads outside, to /etc/passwd") == true)
        #expect(try state(folder) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
        // What it says is what a pass does.
        let pass = try await Sidekick.once(arguments)
        #expect(pass.status == 0, "\(pass.log)")
        for item in plan.added + plan.changed where item.path != "broken" { #expect(folder.has("www/" + item.path)) }
        #expect(!folder.has("www/gone") && !folder.has("www/out") && !folder.has("www/draft"))
        let lines = try Command.run(
            [Sidekick.binary, "check", "--plan"] + arguments, environment: ["PATH": "/usr/bin:/bin"], mayFail: true)
        #expect(lines.status == 0 && lines.text.contains("no path changes"), "\(lines.text)")
        #expect(lines.text.contains("left out  draft: by SIDEKICK_INCLUDE and SIDEKICK_EXCLUDE"), "\(lines.text)")
    }

    @Test func `with --plan fails where a pass would, and says where a folder for it cannot be made`() async throws {
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        symlink("/etc/passwd", source.folder("out"))
        try source.commit(["index.html": "one"])
        let arguments = [source.path, folder("www"), "--symlinks", "refuse"]
        let refused = try plan(arguments)
        #expect(refused.status == 65 && refused.plan == nil && refused.text.contains("out"), "\(refused.text)")
        #expect(try await Sidekick.once(arguments).status == 65)
        let large = try plan([source.path, folder("www"), "--max-files", "1"])
        #expect(large.status == 65 && large.text.contains("SIDEKICK_MAX_FILES"), "\(large.text)")
        let nowhere = try plan([source.path, folder("www")], environment: ["TMPDIR": folder("none")])
        #expect(nowhere.status == 73 && nowhere.text.contains("set TMPDIR"), "\(nowhere.text)")
        #expect(try folder.snapshot().keys.allSatisfy { $0.hasPrefix(".sidekick") })
    }

    @Test func `asks the servers of submodules and of Git LFS, and looks at the clock`() async throws {
        let (source, theme, bare, folder) = (
            try GitRepository(), try GitRepository(), try TemporaryFolder(), try TemporaryFolder()
        )
        let lfs = try LFSServer()
        try theme.commit(["style.css": "one"])
        try theme.pushBare(to: bare, as: "theme.git")
        try source.commit(
            modules: [("theme", "../theme.git", theme.head)],
            ["index.html": "one", "a.png": try lfs.add(Data("picture".utf8))])
        try source.pushBare(to: bare, as: "site.git")
        let server = try await Nginx(gitRepositoriesIn: bare.path)
        let arguments = ["http://127.0.0.1:\(server.port)/site.git", folder("www")]
        let environment = ["SIDEKICK_LFS_URL": lfs.url]
        let early = try check(arguments, environment: environment)
        #expect(early.items["submodules"]?.verdict == "unknown", "\(early.text)")
        #expect(early.items["clock"]?.found.hasSuffix("as at the server") == true, "\(early.text)")
        #expect(try await Sidekick.once(arguments, environment: environment).status == 0)
        let good = try check(arguments, environment: environment)
        #expect(good.status == 0, "\(good.text)")
        #expect(good.items["submodules"]?.found.hasSuffix("/theme.git") == true, "\(good.text)")
        #expect(good.items["Git LFS"]?.found == lfs.url, "\(good.text)")
        try FileManager.default.moveItem(atPath: bare("theme.git"), toPath: bare("other.git"))
        let moved = try check(arguments, environment: ["SIDEKICK_LFS_URL": "http://127.0.0.1:9/lfs"])
        #expect(
            moved.items["submodules"]?.verdict == "failed" && moved.items["Git LFS"]?.verdict == "failed",
            "\(moved.text)")
        #expect(moved.status == 69, "\(moved.text)")
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `What operators order` {
    private static let layouts = ["link", "exchange", "folder"]

    private struct Pair {
        let source: GitRepository
        let folder: TemporaryFolder
        let layout: String
        let commits: [String]

        /// Publishes three commits, one after the other.
        init(_ layout: String, passing arguments: [String] = []) async throws {
            source = try GitRepository()
            folder = try TemporaryFolder()
            self.layout = layout
            var commits: [String] = []
            for number in 1...3 {
                commits.append(try source.commit(["index.html": "\(number)", "a/\(number).css": "\(number)"]))
                let result = try await Sidekick.once([source.path, folder("www"), "--layout", layout] + arguments)
                #expect(result.status == 0, "\(result.log)")
            }
            self.commits = commits
        }

        func daemon(_ arguments: String...) throws -> Sidekick {
            try Sidekick([source.path, folder("www"), "--layout", layout, "--delay", "1h"] + arguments)
        }

        func order(_ words: String...) throws -> Command.Result {
            try Command.run(
                [Sidekick.binary] + words + ["--destination", folder("www")], environment: ["PATH": "/usr/bin:/bin"],
                mayFail: true)
        }

        var page: String { get throws { try folder.read("www/index.html") } }

        func equals(_ commit: String) throws -> Bool {
            let resolved = URL(fileURLWithPath: folder("www")).resolvingSymlinksInPath().path
            return try differences(resolved, from: source.path, commit).isEmpty
        }
    }

    @Test(arguments: layouts, [true, false])
    func `a rollback is held across restarts until it is resumed`(layout: String, isRunning: Bool) async throws {
        let pair = try await Pair(layout)
        var daemon = isRunning ? try pair.daemon() : nil
        try await daemon?.prints("started")
        let back = try pair.order("rollback")
        #expect(back.status == 0, "\(back.text) \(back.error)")
        #expect(try pair.equals(pair.commits[1]))
        #expect(try pair.order("status", "--json").text.contains("\"hold\""))

        // Held through a push, a restart, and a remote that is gone.
        let fourth = try pair.source.commit(["index.html": "4"])
        if let daemon { #expect(try await daemon.stop() == 0) }
        rename(pair.source.path, pair.source.path + ".away")
        let once = try await Sidekick.once([pair.source.path, pair.folder("www"), "--layout", layout])
        #expect(once.status == 0, "the network is not asked: \(once.log)")
        rename(pair.source.path + ".away", pair.source.path)
        #expect(try pair.equals(pair.commits[1]))

        daemon = isRunning ? try pair.daemon() : nil
        try await daemon?.prints("started")
        let resumed = try pair.order("resume")
        #expect(resumed.status == 0, "\(resumed.text) \(resumed.error)")
        if isRunning {
            #expect(try pair.equals(fourth))
        } else {
            #expect(try await Sidekick.once([pair.source.path, pair.folder("www"), "--layout", layout]).status == 0)
            #expect(try pair.equals(fourth))
        }
        #expect(try !pair.order("status", "--json").text.contains("\"hold\""))
        #expect(try pair.order("resume").text.contains("nothing was held"))
        if let daemon { #expect(try await daemon.stop() == 0) }
    }

    @Test func `a rollback to a commit that is named, and to one that is gone`() async throws {
        let pair = try await Pair("link")
        #expect(try pair.order("rollback", String(pair.commits[0].prefix(8))).status == 0)
        #expect(try pair.equals(pair.commits[0]))
        let gone = try pair.order("rollback", "0123456789abcdef0123456789abcdef01234567")
        #expect(gone.status != 0 && gone.error.contains("not in the store"), "\(gone.error)")
        let nonsense = try pair.order("rollback", "HEAD~1")
        #expect(nonsense.status != 0 && nonsense.error.contains("commit id"), "\(nonsense.error)")
        #expect(try pair.equals(pair.commits[0]), "it stays")

        // Its blob is lost with the store's bytes, and no tree has it: nothing is held, and what is served stays.
        let store = pair.folder(".sidekick/www/git")
        try Command.run([
            "sh", "-c",
            """
            cd '\(store)' && mkdir aside && mv objects/pack/* aside/
            for pack in aside/*.pack; do git --git-dir=. unpack-objects -q < "$pack"; done
            rm objects/$(printf 2 | git hash-object --stdin | sed 's|..|&/|')
            """,
        ])
        let live = try FileManager.default.destinationOfSymbolicLink(atPath: pair.folder("www")).split(separator: "/")
        let trees = pair.folder(".sidekick/www/trees")
        for name in try FileManager.default.contentsOfDirectory(atPath: trees) where name != live.last! {
            try FileManager.default.removeItem(atPath: trees + "/" + name)
        }
        let broken = try pair.order("rollback", pair.commits[1])
        #expect(broken.status != 0, "\(broken.text) \(broken.error)")
        #expect(try pair.equals(pair.commits[0]))
        #expect(try pair.order("status", "--json").text.contains(pair.commits[0]))
    }

    @Test func `another reference ends a hold`() async throws {
        let pair = try await Pair("link")
        #expect(try pair.order("rollback").status == 0)
        try pair.source.git("branch", "other", pair.commits[0])
        let result = try await Sidekick.once([pair.source.path, pair.folder("www"), "--ref", "other"])
        #expect(result.status == 0 && result.log.contains("hold ended"), "\(result.log)")
        #expect(try pair.equals(pair.commits[0]))
    }

    @Test func `nothing before, nothing to roll back to`() async throws {
        let source = try GitRepository()
        try source.commit(["a": "1"])
        let folder = try TemporaryFolder()
        #expect(try await Sidekick.once([source.path, folder("www")]).status == 0)
        let result = try Command.run(
            [Sidekick.binary, "rollback", "--destination", folder("www")], environment: ["PATH": "/usr/bin:/bin"],
            mayFail: true)
        #expect(result.status != 0 && result.error.contains("nothing was published before"), "\(result.error)")
    }

    @Test(arguments: layouts, [true, false])
    func `verify lists what differs, and repairs it`(layout: String, isRunning: Bool) async throws {
        let pair = try await Pair(layout, passing: ["--exclude", "/a/1.css"])
        #expect(!pair.folder.has("www/a/1.css"))
        let daemon = isRunning ? try pair.daemon("--exclude", "/a/1.css", "--log-level", "debug") : nil
        // A pass looks at some of what is served, and would make it anew.
        try await daemon?.prints("unchanged")
        let good = try pair.order("verify")
        #expect(good.status == 0 && good.text.isEmpty, "\(good.text) \(good.error)")

        // Bytes of the same length and time, a mode, a file that is gone, one that nobody published.
        var status = stat()
        let page = pair.folder("www/index.html")
        stat(page, &status)
        try Data("9".utf8).write(to: URL(fileURLWithPath: page), options: [])
        utimensat(AT_FDCWD, page, [status.st_atim, status.st_mtim], 0)
        chmod(pair.folder("www/a/2.css"), 0o600)
        unlink(pair.folder("www/a/3.css"))
        try pair.folder.write("mine", to: "www/b/mine")
        let bad = try pair.order("verify")
        var expected: Set = ["changed: index.html", "mode: a/2.css", "missing: a/3.css"]
        if layout != "folder" { expected.insert("not published by sidekick: b/mine") }
        #expect(bad.status == 1)
        #expect(Set(bad.text.split(separator: "\n").map(String.init)) == expected)
        if layout == "folder" { #expect(bad.error.contains("1 files are not sidekick's")) }

        let repaired = try pair.order("verify", "--repair")
        #expect(repaired.status == 0 && repaired.text.contains("repaired"), "\(repaired.text) \(repaired.error)")
        #expect(try pair.order("verify").status == 0)
        #expect(try pair.page == "3")
        if layout == "folder" {
            #expect(try pair.folder.read("www/b/mine") == "mine")
        } else {
            #expect(!pair.folder.has("www/b/mine"))
        }
        if let daemon { #expect(try await daemon.stop() == 0) }
    }

    @Test(arguments: layouts)
    func `a start finds what was changed while nobody ran, and makes it anew`(layout: String) async throws {
        let pair = try await Pair(layout)
        try Data("someone else".utf8).write(to: URL(fileURLWithPath: pair.folder("www/index.html")), options: [])
        unlink(pair.folder("www/a/2.css"))
        let result = try await Sidekick.once([pair.source.path, pair.folder("www"), "--layout", layout])
        #expect(result.status == 0 && result.log.contains("drift"), "\(result.log)")
        #expect(try pair.equals(pair.commits[2]))
        let again = try await Sidekick.once([pair.source.path, pair.folder("www"), "--layout", layout])
        #expect(!again.log.contains("published"), "\(again.log)")
    }

    @Test(arguments: layouts, ["cp -a", "tar"])
    func `a site that was restored from a backup is recognized, and not written again`(
        layout: String, tool: String
    ) async throws {
        let pair = try await Pair(layout)
        let other = try TemporaryFolder()
        if tool == "tar" {
            try Command.run(["sh", "-c", "tar -C '\(pair.folder.path)' -cf - . | tar -C '\(other.path)' -xf -"])
        } else {
            try Command.run(["cp", "-a", pair.folder.path + "/.", other.path])
        }
        let before = other.inode("www/index.html")
        let result = try await Sidekick.once([pair.source.path, other("www"), "--layout", layout])
        #expect(result.status == 0, "\(result.log)")
        #expect(!result.log.contains("published") && !result.log.contains("drift"), "\(result.log)")
        #expect(other.inode("www/index.html") == before)
        let next = try pair.source.commit(["index.html": "after"])
        let update = try await Sidekick.once([pair.source.path, other("www"), "--layout", layout])
        #expect(update.status == 0 && update.log.contains("written=1\n"), "\(update.log)")
        let resolved = URL(fileURLWithPath: other("www")).resolvingSymlinksInPath().path
        #expect(try differences(resolved, from: pair.source.path, next) == [])
        #expect(!other.has(".sidekick/www/lost+found"))
    }
}

@Suite struct `An order that comes while sidekick starts` {
    @Test func `is taken by it, and what nobody waits for any more is swept`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "1"])
        let folder = try TemporaryFolder()
        let arguments = [source.path, folder("www")]
        #expect(try await Sidekick.once(arguments).status == 0)
        try source.commit(["index.html": "2"])
        #expect(try await Sidekick.once(arguments).status == 0)
        // As an operator leaves it who has seen the new process's lock, and as one leaves it who was killed an hour ago.
        let (new, old) = (UUID().uuidString.lowercased(), UUID().uuidString.lowercased())
        let orders = ".sidekick/www/orders/"
        for id in [new, old] { try folder.write("{\"rollback\":{}}", to: orders + id + ".order") }
        try folder.write("", to: orders + ".dat.nosync123")
        for name in [old + ".order", ".dat.nosync123"] {
            try Command.run(["touch", "-d", "1 hour ago", folder(orders + name)])
        }
        let sidekick = try Sidekick(arguments + ["--delay", "1h"])
        try await eventually("it is answered") { folder.has(orders + new + ".answer") }
        #expect(try folder.read("www/index.html") == "1")
        #expect(!folder.has(orders + old + ".order") && !folder.has(orders + old + ".answer"))
        #expect(!folder.has(orders + ".dat.nosync123"))
        #expect(try await sidekick.stop() == 0)
    }
}

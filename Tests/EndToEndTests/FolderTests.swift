import Foundation
import TestSupport
import Testing

@Suite struct `One folder of a large repository` {
    /// A repository of which the folder `docs/site` is published, and its server.
    private final class World {
        let remote: HTTPRemote
        let folder: TemporaryFolder
        private var seen = 0

        init(_ files: [String: String?] = [:], filters: Bool = true, version2: Bool = true) async throws {
            folder = try TemporaryFolder()
            var random = SeededNumbers(seed: 5)
            var all: [String: String?] = [
                "docs/site/index.html": "1", "docs/site/a/b.html": "1", "docs/other.md": "1", "README": "1",
            ]
            // What is no part of it, and does not compress.
            for number in 0..<20 * Self.scale {
                let bytes = (0..<100_000).map { _ in UInt8.random(in: 33...126, using: &random) }
                all["code/\(number).bin"] = String(decoding: bytes, as: UTF8.self)
            }
            if Self.scale > 1 {
                all["docs/site/large"] = all["code/1.bin"].map { String(repeating: $0 ?? "", count: 10) }
            }
            for (name, text) in files { all[name] = text }
            remote = try await HTTPRemote(all, version2: version2)
            try Command.run(["git", "-C", remote.bare, "config", "uploadpack.allowFilter", "\(filters)"])
        }

        /// 25 for the 50 MB of the issue, with a megabyte in the folder.
        static let scale = Int(ProcessInfo.processInfo.environment["SIDEKICK_FOLDER_SCALE"] ?? "") ?? 1

        var www: String { folder("www") }

        func once(_ subdirectory: String = "docs/site", _ arguments: [String] = []) async throws -> (
            status: Int32, log: String
        ) {
            try await Sidekick.once([remote.url(), www, "--subdirectory", subdirectory] + arguments)
        }

        /// Bytes of answers, and questions, since this was asked the last time.
        func traffic() -> (bytes: Int, requests: Int) {
            let lines = remote.server.accessLog.split(separator: "\n").dropFirst(seen)
            seen += lines.count
            let bytes = lines.compactMap { line in
                line.split(separator: "\"").dropFirst(2).first.flatMap { Int($0.split(separator: " ").last ?? "") }
            }
            return (bytes.reduce(0, +), lines.count)
        }

        func differences(_ subdirectory: String = "docs/site") throws -> [String] {
            try TestSupport.differences(www, from: remote.bare, "HEAD:\(subdirectory)")
        }
    }

    private func run(_ arguments: String...) throws -> (status: Int32, text: String) {
        let result = try Command.run([Sidekick.binary] + arguments, mayFail: true)
        return (result.status, result.text + result.error)
    }

    @Test(arguments: ["link", "exchange", "folder"])
    func `costs what the folder costs`(layout: String) async throws {
        let world = try await World()
        let first = try await world.once("docs/site", ["--layout", layout])
        #expect(first.status == 0, "\(first.log)")
        #expect(try world.differences() == [])
        let whole = world.traffic()
        print("one folder, \(layout), scale \(World.scale): first \(whole)")
        #expect(whole.bytes < (World.scale > 1 ? 2_000_000 : 5_000), "\(whole)")

        // Elsewhere: nothing is published, and the next pass asks one question.
        try world.remote.push(["code/0.bin": "other", "README": "2"])
        let elsewhere = try await world.once("docs/site", ["--layout", layout])
        #expect(elsewhere.status == 0 && !elsewhere.log.contains("published"), "\(elsewhere.log)")
        let push = world.traffic()
        print("one folder, \(layout): a push elsewhere \(push)")
        #expect(push.bytes < 2_000, "\(push)")
        #expect(try await world.once("docs/site", ["--layout", layout]).status == 0)
        #expect(world.traffic().requests <= 2)

        try world.remote.push(["docs/site/a/b.html": "2", "code/1.bin": "other"])
        let third = try await world.once("docs/site", ["--layout", layout])
        #expect(third.status == 0 && third.log.contains("written=1"), "\(third.log)")
        #expect(try world.differences() == [])
        #expect(world.traffic().bytes < 2_500)
        let verify = try run("verify", world.www)
        #expect(verify.status == 0, "\(verify.text)")
        let back = try run("rollback", "--destination", world.www)
        #expect(back.status == 0, "\(back.text)")
        #expect(try world.folder.read("www/a/b.html") == "1")
        #expect(try run("resume", "--destination", world.www).status == 0)
        #expect(try await world.once("docs/site", ["--layout", layout]).status == 0)
        #expect(try world.differences() == [])
        #expect(try run("verify", world.www).status == 0)
    }

    @Test func `can become another one, and all of it`() async throws {
        let world = try await World(["docs/second/x.html": "x"])
        #expect(try await world.once().status == 0)
        for subdirectory in ["docs/second", "docs", "docs/site/a", "code", "docs/site"] {
            let found = try await world.once(subdirectory)
            #expect(found.status == 0, "\(found.log)")
            #expect(try world.differences(subdirectory) == [], "\(subdirectory)")
        }
        let whole = try await Sidekick.once([world.remote.url(), world.www])
        #expect(whole.status == 0, "\(whole.log)")
        #expect(try differences(world.www, from: world.remote.bare, "HEAD") == [])
        try world.remote.push(["README": "3"])
        #expect(try await Sidekick.once([world.remote.url(), world.www]).status == 0)
        #expect(try differences(world.www, from: world.remote.bare, "HEAD") == [])
        // And back, and from a repository on this machine.
        #expect(try await world.once("docs").status == 0)
        let local = try await Sidekick.once([world.remote.bare, world.www])
        #expect(local.status == 0, "\(local.log)")
        #expect(try differences(world.www, from: world.remote.bare, "HEAD") == [])
    }

    @Test(arguments: [(false, true), (true, false)])
    func `comes with all of it where the server cannot leave it out`(filters: Bool, version2: Bool) async throws {
        let world = try await World(filters: filters, version2: version2)
        let first = try await world.once()
        #expect(first.status == 0, "\(first.log)")
        #expect(try world.differences() == [])
        try world.remote.push(["docs/site/index.html": "2"])
        #expect(try await world.once().status == 0)
        #expect(try world.differences() == [])
        // From now on it can.
        try Command.run(["git", "-C", world.remote.bare, "config", "uploadpack.allowFilter", "true"])
        try world.remote.push(["docs/site/index.html": "3"])
        #expect(try await world.once().status == 0)
        try Command.run(["git", "-C", world.remote.bare, "config", "uploadpack.allowFilter", "\(filters)"])
        try world.remote.push(["docs/site/index.html": "4", "code/3.bin": "4"])
        let last = try await world.once()
        #expect(last.status == 0, "\(last.log)")
        #expect(try world.differences() == [])
    }

    /// What a server says that it can, it may refuse all the same; over ssh the connection ends with that.
    @Test(arguments: [true, false])
    func `comes with all of it where a filter is refused`(ssh: Bool) async throws {
        let world = try await World()
        try Command.run(["git", "-C", world.remote.bare, "config", "uploadpackfilter.tree.allow", "false"])
        var (address, environment) = (world.remote.url(), [String: String]())
        let server = ssh ? try await SSHServer() : nil
        if let server {
            try world.folder.write(try server.knownHost(), to: "known_hosts")
            address = server.url(world.remote.bare)
            environment = [
                "SIDEKICK_SSH_KEY_FILE": server.folder("user_ed25519"),
                "SIDEKICK_SSH_KNOWN_HOSTS_FILE": world.folder("known_hosts"),
            ]
        }
        for text in ["1", "2"] {
            try world.remote.push(["docs/site/index.html": text, "code/0.bin": text])
            let found = try await Sidekick.once(
                [address, world.www, "--subdirectory", "docs/site"], environment: environment)
            #expect(found.status == 0, "\(found.log)")
            #expect(try world.differences() == [])
        }
    }

    @Test func `is told of when it is none`() async throws {
        let world = try await World(["file": "x"])
        #expect(try await world.once().status == 0)
        for (subdirectory, cause) in [
            ("docs/none", "has no folder docs/none"), ("file", "is a file and no folder"),
            ("docs/other.md/x", "is a file and no folder"),
        ] {
            let found = try await world.once(subdirectory)
            #expect(found.status == 65 && found.log.contains(cause), "\(found.log)")
        }
        symlink("site", world.remote.source.folder("docs/link"))
        try world.remote.push([:])
        let link = try await world.once("docs/link")
        #expect(
            link.log.contains("docs/link in commit") && link.log.contains("is a symbolic link, to site"), "\(link.log)")
        // It goes and comes back.
        #expect(try await world.once().status == 0)
        try world.remote.push(["docs/site/index.html": nil, "docs/site/a/b.html": nil])
        #expect(try await world.once().status == 65)
        #expect(try world.folder.read("www/index.html") == "1")
        try world.remote.push(["docs/site/new.html": "5"])
        #expect(try await world.once().status == 0)
        #expect(try world.differences() == [])
    }

    @Test func `follows what is rewritten, and refuses it where it is told to`() async throws {
        let world = try await World()
        #expect(try await world.once("docs/site", ["--fast-forward-only"]).status == 0)
        try world.remote.push(["docs/site/index.html": "2"])
        #expect(try await world.once("docs/site", ["--fast-forward-only"]).status == 0)
        #expect(try world.folder.read("www/index.html") == "2")
        // What went on elsewhere is history as well.
        for number in 3...5 {
            try world.remote.push(["code/0.bin": "\(number)"])
            let elsewhere = try await world.once("docs/site", ["--fast-forward-only"])
            #expect(elsewhere.status == 0 && !elsewhere.log.contains("published"), "\(elsewhere.log)")
        }
        for number in 6...8 { try world.remote.push(["code/0.bin": "\(number)"]) }
        try world.remote.push(["docs/site/index.html": "9"])
        let forward = try await world.once("docs/site", ["--fast-forward-only"])
        #expect(forward.status == 0, "\(forward.log)")
        #expect(try world.folder.read("www/index.html") == "9")
        try world.remote.source.git("reset", "-q", "--hard", "HEAD~1")
        try world.remote.push(["docs/site/index.html": "3"], force: true)
        let refused = try await world.once("docs/site", ["--fast-forward-only"])
        #expect(refused.status == 65 && refused.log.contains("history was rewritten"), "\(refused.log)")
        #expect(try await world.once().status == 0)
        #expect(try world.folder.read("www/index.html") == "3")
    }

    /// A store that is compacted after every pass, a folder that changes in every way, and beside it what does not matter.
    @Test func `is what git has there, commit by commit`() async throws {
        let world = try await World()
        var random = SeededNumbers(seed: SeededNumbers.seed)
        let names = ["index.html", "a/b.html", "a/c/d.html", "e.html", "f/g.html"]
        for number in 0..<15 {
            var files: [String: String?] = ["code/\(Int.random(in: 0..<20, using: &random)).bin": "\(number)"]
            for name in names where Bool.random(using: &random) {
                files["docs/site/" + name] = "\(Int.random(in: 0..<5, using: &random))"
            }
            try world.remote.push(files)
            let found = try await world.once(
                "docs/site", ["--layout", ["link", "exchange"].randomElement(using: &random)!])
            try #require(found.status == 0, "seed \(SeededNumbers.seed): \(found.log)")
            try #require(world.differences() == [], "seed \(SeededNumbers.seed), commit \(number)")
        }
        #expect(try run("verify", world.www).status == 0)
    }

    /// A server that compares two large folders reads all of both.
    @Test(arguments: [true, false])
    func `comes with all of it where it is large and most of it`(isMost: Bool) async throws {
        var files: [String: String?] = [:]
        for number in 0..<4_500 { files["docs/site/\(number % 30)/\(number % 300)/\(number)"] = "\(number)" }
        if isMost { for number in 0..<20 { files["code/\(number).bin"] = "small" } }
        let world = try await World(files)
        #expect(try await world.once().status == 0)
        let share = ".sidekick/www/git/sidekick-share"
        #expect(!world.folder.has(share))
        for number in 0..<4 {
            try world.remote.push(["docs/site/7/7/307": "n\(number)", "code/1.bin": "n\(number)"])
            _ = world.traffic()
            let found = try await world.once()
            #expect(found.status == 0 && found.log.contains("written=1"), "\(found.log)")
            #expect(try world.differences() == [], "push \(number)")
            let traffic = world.traffic()
            // Two are of the references; for a part the way to it is asked for, and what it holds.
            let questions = isMost ? 1 : number == 0 ? 7 : 4
            #expect(traffic.requests == 2 + questions, "push \(number): \(traffic)")
            if number > 0 { #expect(traffic.bytes < 20_000, "push \(number): \(traffic)") }
            #expect(try world.folder.read(share) == (isMost ? "most" : "part") + "\ndocs/site")
        }
        // One refusal after the other, in one pass.
        try FileManager.default.removeItem(atPath: world.folder(share))
        try Command.run(["git", "-C", world.remote.bare, "config", "uploadpackfilter.tree.allow", "false"])
        try world.remote.push(["docs/site/7/7/307": "refused", "code/1.bin": "refused"])
        let refused = try await world.once()
        #expect(refused.status == 0, "\(refused.log)")
        #expect(try world.differences() == [])
        for subdirectory in ["code", "docs/site"] {
            #expect(try await world.once(subdirectory).status == 0)
            #expect(try world.differences(subdirectory) == [])
        }
        #expect(try run("verify", world.www).status == 0)
        let back = try run("rollback", "--destination", world.www)
        #expect(back.status == 0, "\(back.text)")
    }

    @Test func `has its submodules and its files of Git LFS`() async throws {
        let (site, theme, bare, folder) = (
            try GitRepository(), try GitRepository(), try TemporaryFolder(), try TemporaryFolder()
        )
        let lfs = try LFSServer()
        let picture = Data(String(repeating: "picture", count: 500).utf8)
        try theme.commit(["style.css": "one"])
        try theme.pushBare(to: bare, as: "theme.git")
        try site.commit(
            modules: [("docs/theme", "../theme.git", theme.head), ("unwanted", "../nowhere.git", theme.head)],
            ["docs/a.png": try lfs.add(picture), "docs/index.html": "1", "code/x": "1"])
        try site.pushBare(to: bare, as: "site.git")
        for name in ["site", "theme"] {
            try Command.run(["git", "-C", bare("\(name).git"), "config", "uploadpack.allowFilter", "true"])
        }
        let server = try await Nginx(gitRepositoriesIn: bare.path)
        func once() async throws -> (status: Int32, log: String) {
            try await Sidekick.once(
                ["http://127.0.0.1:\(server.port)/site.git", folder("www"), "--subdirectory", "docs"],
                environment: ["SIDEKICK_LFS_URL": lfs.url])
        }
        let first = try await once()
        #expect(first.status == 0, "\(first.log)")
        #expect(try folder.read("www/theme/style.css") == "one")
        #expect(try Data(contentsOf: URL(filePath: folder("www/a.png"))) == picture)
        // Only what is elsewhere.
        try site.commit(
            modules: [("docs/theme", "../theme.git", theme.head), ("unwanted", "../nowhere.git", theme.head)],
            ["code/x": "2"])
        try site.pushBare(to: bare, as: "site.git")
        let second = try await once()
        #expect(second.status == 0 && !second.log.contains("published"), "\(second.log)")
        // The gitlink alone.
        try theme.commit(["style.css": "two"])
        try theme.pushBare(to: bare, as: "theme.git")
        try site.commit(
            modules: [("docs/theme", "../theme.git", theme.head), ("unwanted", "../nowhere.git", theme.head)])
        try site.pushBare(to: bare, as: "site.git")
        let third = try await once()
        #expect(third.status == 0 && third.log.contains("written=1"), "\(third.log)")
        #expect(try folder.read("www/theme/style.css") == "two")
        #expect(try Command.run([Sidekick.binary, "verify", folder("www")], mayFail: true).status == 0)
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `A site with files of Git LFS` {
    /// A site behind a web server, its objects behind a server of Git LFS, which the setting names.
    private final class World {
        let remote: HTTPRemote
        let lfs: LFSServer
        let folder: TemporaryFolder
        /// Settings of every run.
        var environment: [String: String] = [:]

        init(_ objects: [String: Data], _ files: [String: String?] = [:]) async throws {
            lfs = try LFSServer()
            folder = try TemporaryFolder()
            var all = files
            for (name, data) in objects { all[name] = try lfs.add(data) }
            remote = try await HTTPRemote(all)
            environment["SIDEKICK_LFS_URL"] = lfs.url
        }

        var www: String { folder("www") }

        func once(_ arguments: [String] = []) async throws -> (status: Int32, log: String) {
            try await Sidekick.once([remote.url(), www] + arguments, environment: environment)
        }

        func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: www + "/" + name)) }
    }

    private static func data(_ count: Int, seed: UInt64 = 1) -> Data {
        var random = SeededNumbers(seed: seed)
        return Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    @Test(arguments: ["link", "exchange", "folder"])
    func `has the files and not the pointers to them`(layout: String) async throws {
        let picture = Self.data(300_000)
        let world = try await World(["a.png": picture, "deep/b.png": picture, "empty": Data()], ["index.html": "1"])
        let first = try await world.once(["--layout", layout])
        #expect(first.status == 0, "\(first.log)")
        for name in ["a.png", "deep/b.png"] { #expect(try world.bytes(name) == picture) }
        #expect(try world.bytes("empty").isEmpty)
        // An object is asked for once, however many paths it has.
        #expect(world.lfs.requests.count == 2, "\(world.lfs.requests.map(\.path))")

        // An update of something else asks nothing; another picture is one.
        try world.remote.push(["index.html": "2"])
        #expect(try await world.once(["--layout", layout]).status == 0)
        #expect(world.lfs.requests.count == 2)
        let other = Self.data(200_000, seed: 2)
        try world.remote.push(["a.png": try world.lfs.add(other)])
        let third = try await world.once(["--layout", layout])
        #expect(third.status == 0, "\(third.log)")
        #expect(try world.bytes("a.png") == other)
        #expect(try world.bytes("deep/b.png") == picture)
        let verify = try Command.run([Sidekick.binary, "verify", world.www], mayFail: true)
        #expect(verify.status == 0, "\(verify.text)\(verify.error)")
        let status = try Command.run([Sidekick.binary, "status", world.www], mayFail: true).text
        #expect(status.contains("Git LFS      3 files, 500000 bytes"), "\(status)")

        // Back to what was, without the server.
        world.lfs.answers { _, _ in .init(500) }
        let back = try Command.run([Sidekick.binary, "rollback", "--destination", world.www], mayFail: true)
        #expect(back.status == 0, "\(back.text)\(back.error)")
        #expect(try world.bytes("a.png") == picture)
    }

    @Test func `keeps what it shows when an object cannot be had, and names the file`() async throws {
        let world = try await World(["a.png": Self.data(5_000)], ["index.html": "1"])
        #expect(try await world.once().status == 0)
        let unknown = try lfsPointer(to: Data("nowhere".utf8))
        try world.remote.push(["deep/b.png": unknown.text, "index.html": "2"])
        let found = try await world.once()
        #expect(found.status == 65, "\(found.log)")
        #expect(
            found.log.contains("deep/b.png of Git LFS: \(world.lfs.url) has no object \(unknown.id)"), "\(found.log)")
        #expect(found.log.contains("git lfs push --all") && found.log.contains("stage=fetch"), "\(found.log)")
        #expect(try world.bytes("index.html") == Data("1".utf8))
        // It is what it is without them.
        world.environment["SIDEKICK_LFS"] = "off"
        #expect(try await world.once().status == 0)
        #expect(try world.bytes("deep/b.png") == Data(unknown.text.utf8))
        world.environment["SIDEKICK_LFS"] = "on"
        try world.lfs.add(Data("nowhere".utf8))
        #expect(try await world.once().status == 0)
        #expect(try world.bytes("deep/b.png") == Data("nowhere".utf8))
    }

    /// What came for a commit that cannot be published yet need not come again.
    @Test func `keeps what came until the commit is shown`() async throws {
        let world = try await World([:], ["index.html": "1"])
        let daemon = try Sidekick(
            [world.remote.url(), world.www, "--delay", "200ms", "--backoff", "300ms"], environment: world.environment)
        try await eventually("the first is shown\n\(daemon.log)") {
            (try? world.bytes("index.html")) == Data("1".utf8)
        }
        let data = Self.data(50_000)
        let unknown = try lfsPointer(to: Data("nowhere".utf8))
        // In a batch of its own, after a hundred that come.
        var files: [String: String?] = ["z.png": unknown.text]
        for number in 0..<100 { files["\(number).png"] = try world.lfs.add(data + Data("\(number)".utf8)) }
        try world.remote.push(files)
        try await eventually(within: 30, "it failed some times\n\(daemon.log)") {
            world.lfs.requests.filter(\.isBatch).count >= 5
        }
        #expect(world.lfs.requests.filter { $0.method == "GET" }.count == 100)
        try world.lfs.add(Data("nowhere".utf8))
        try await eventually(within: 30, "it is shown\n\(daemon.log)") {
            (try? world.bytes("z.png")) == Data("nowhere".utf8)
        }
        #expect(world.lfs.requests.filter { $0.method == "GET" }.count == 101)
        try await daemon.stop()
    }

    @Test func `leave a server alone for as long as it asks, whoever wants them`() async throws {
        let world = try await World(["a.png": Self.data(5_000)])
        world.lfs.answers { _, _ in .init(429, ["Retry-After": "600"]) }
        let daemon = try Sidekick([world.remote.url(), world.www, "--delay", "1h"], environment: world.environment)
        try await daemon.prints("too busy (status 429)")
        #expect(
            daemon.log.contains("a.png of Git LFS") && daemon.log.contains("it is asked again in 600 s"),
            "\(daemon.log)")
        for number in 1...3 {
            daemon.send(SIGHUP)
            try await eventually("pass \(number)\n\(daemon.log)") {
                daemon.log.components(separatedBy: "pass requested").count == number + 1
            }
        }
        try await Task.sleep(for: .milliseconds(500))
        #expect(world.lfs.requests.count == 1, "\(daemon.log)")
        try await daemon.stop()
    }

    @Test func `asks for nothing when the pointers claim more than there may be`() async throws {
        let world = try await World([:], ["index.html": "1"])
        #expect(try await world.once().status == 0)
        let id = String(repeating: "ab", count: 32)
        func claim(_ size: Int64) -> String {
            "version https://git-lfs.github.com/spec/v1\noid sha256:\(id)\nsize \(size)\n"
        }
        try world.remote.push(["a.bin": claim(10_000_000_000_000)])
        let large = try await world.once()
        #expect(large.status == 65 && large.log.contains("SIDEKICK_MAX_SIZE"), "\(large.log)")
        // Where nothing else bounds it, the disk does; and sums may be more than there are numbers for.
        world.environment["SIDEKICK_MAX_SIZE"] = "8000000TB"
        let noSpace = try await world.once()
        #expect(noSpace.status == 73 && noSpace.log.contains("are missing"), "\(noSpace.log)")
        for name in ["b.bin", "c.bin"] {
            let other = claim(.max).replacingOccurrences(of: "ab", with: name.hasPrefix("b") ? "ac" : "ad")
            try world.remote.push([name: other])
        }
        let sums = try await world.once()
        #expect(sums.status == 65 && sums.log.contains("SIDEKICK_MAX_SIZE"), "\(sums.log)")
        #expect(world.lfs.requests.isEmpty)
        #expect(try world.bytes("index.html") == Data("1".utf8))
    }

    @Test func `of a repository on this machine are taken from it`() async throws {
        let source = try GitRepository()
        try source.trackPictures()
        let picture = String(repeating: "picture", count: 1_000)
        try source.commit(["a.png": picture, "index.html": "1"])
        let folder = try TemporaryFolder()
        let first = try await Sidekick.once([source.path, folder("www")])
        #expect(first.status == 0, "\(first.log)")
        #expect(try folder.read("www/a.png") == picture)
        try source.commit(["b.png": "another"])
        try FileManager.default.removeItem(atPath: source.folder(".git/lfs/objects"))
        let second = try await Sidekick.once([source.path, folder("www")])
        #expect(
            second.status == 65 && second.log.contains("b.png of Git LFS: \(source.path) has no object"),
            "\(second.log)")
        #expect(!folder.has("www/b.png"))
    }

    /// The server says over ssh who may come, and where to.
    @Test func `of a repository over ssh are where it says`() async throws {
        let lfs = try LFSServer()
        let picture = Self.data(5_000)
        let source = try GitRepository()
        try source.commit(["a.png": try lfs.add(picture)])
        let (folder, bin) = (try TemporaryFolder(), try TemporaryFolder())
        try bin.write(
            """
            #!/bin/sh
            echo "$*" >\(bin("asked"))
            echo '{"href":"\(lfs.url)/there","header":{"Authorization":"Bearer of-ssh"},"expires_in":600}'
            """, to: "git-lfs-authenticate")
        chmod(bin("git-lfs-authenticate"), 0o755)
        let server = try await SSHServer(programs: bin.path)
        try folder.write(try server.knownHost(), to: "known_hosts")
        let environment = [
            "SIDEKICK_SSH_KEY_FILE": server.folder("user_ed25519"),
            "SIDEKICK_SSH_KNOWN_HOSTS_FILE": folder("known_hosts"),
        ]
        let first = try await Sidekick.once([server.url(source.path), folder("www")], environment: environment)
        #expect(first.status == 0, "\(first.log)")
        #expect(try Data(contentsOf: URL(filePath: folder("www/a.png"))) == picture)
        #expect(try bin.read("asked") == "\(source.path) download\n")
        #expect(
            lfs.requests.map { $0.headers["authorization"] } == ["Bearer of-ssh", "Bearer of-ssh"].prefix(1) + [nil])
        #expect(lfs.requests[0].path == "/there/objects/batch")

        // One that says nothing of it is asked where git-lfs would.
        unlink(bin("git-lfs-authenticate"))
        try source.commit(["b.png": try lfs.add(Self.data(100, seed: 3))])
        let second = try await Sidekick.once([server.url(source.path), folder("www")], environment: environment)
        #expect(second.log.contains("b.png of Git LFS: cannot connect to 127.0.0.1:443"), "\(second.log)")
    }

    @Test func `follow no address that a commit names elsewhere`() async throws {
        let world = try await World([:], ["index.html": "1"])
        world.environment["SIDEKICK_LFS_URL"] = nil
        let data = Self.data(2_000)
        try world.remote.push(["a.png": try world.lfs.add(data), ".lfsconfig": "[lfs]\n\turl = \(world.lfs.url)\n"])
        let found = try await world.once()
        #expect(found.status == 65 && found.log.contains(".lfsconfig names \(world.lfs.url)"), "\(found.log)")
        #expect(world.lfs.requests.isEmpty)
        world.environment["SIDEKICK_LFS_URL"] = world.lfs.url
        #expect(try await world.once().status == 0)
        #expect(try world.bytes("a.png") == data)
    }

    /// A reader that never stops: a page and the picture that it names are never of two commits.
    @Test(arguments: ["link", "exchange"])
    func `change with the page that names them`(layout: String) async throws {
        @Sendable func picture(_ number: String) -> Data { Data(String(repeating: "\(number) ", count: 20_000).utf8) }
        let world = try await World(["p.png": picture("0")], ["page": "0"])
        var environment = world.environment
        environment["SIDEKICK_GRACE"] = "1s"
        #expect(try await world.once(["--layout", layout]).status == 0)
        let daemon = try Sidekick(
            [world.remote.url(), world.www, "--delay", "100ms", "--layout", layout], environment: environment)
        let reader = TreeReader(of: world.www, page: "page", picture: "p.png", of: picture)
        for number in 1...12 {
            try world.remote.push(["p.png": try world.lfs.add(picture("\(number)")), "page": "\(number)"])
            try await eventually("\(number) is shown\n\(daemon.log)") {
                try world.bytes("page") == Data("\(number)".utf8)
            }
        }
        let (count, torn) = await reader.end()
        #expect(torn == [] && count > 50, "\(count) reads, \(torn)")
        try await daemon.stop()
    }

    /// Of a whole object never more than a piece is in memory.
    @Test func `take no memory for their size`() async throws {
        let size = Int(ProcessInfo.processInfo.environment["SIDEKICK_OBJECT_MB"] ?? "") ?? 30
        let world = try await World([:], ["index.html": "1"])
        let without = try await Sidekick.measured([world.remote.url(), world.folder("plain")])
        #expect(without.status == 0, "\(without)")
        var files: [String: String?] = [:]
        for number in 0..<10 {
            files["\(number).bin"] = try world.lfs.add(Data(repeating: UInt8(number), count: size << 20))
        }
        try world.remote.push(files)
        let with = try await Sidekick.measured(
            [world.remote.url(), world.www], environment: world.environment, within: 120)
        #expect(with.status == 0, "\(with)")
        print("10 objects of \(size) MB: \(with.peak) MB in \(with.seconds) s, without them \(without.peak) MB")
        #expect(with.peak <= without.peak + 20 * Sanitizer.toll)
        for number in 0..<10 {
            #expect(try world.bytes("\(number).bin") == Data(repeating: UInt8(number), count: size << 20))
        }
    }
}

@Suite struct `Repositories of every shape` {
    private static let steps = Int(ProcessInfo.processInfo.environment["SIDEKICK_STEPS"] ?? "") ?? 12

    /// Submodules up to four deep, moved, replaced by folders and back, with files of Git LFS in all of them, against
    /// `git clone --recurse-submodules` with git-lfs.
    @Test(arguments: [false, true])
    func `are published as git and git-lfs clone them, commit by commit`(hasPictures: Bool) async throws {
        let seed = SeededNumbers.seed
        let lfs = hasPictures ? try await Giftless() : nil
        let project = try await RandomSuperProject(seed: seed, lfs: lfs)
        let folder = try TemporaryFolder()
        var changes = ["the beginning"]
        for number in 0...Self.steps {
            if number > 0 { changes.append(try project.step()) }
            let run = try await Sidekick.once([project.url, folder("www"), "--layout", "link"])
            try #require(run.status == 0, "seed \(seed), \(changes): \(run.log)")
            let differences = try differencesFromClone(folder("www"), of: project.url, lfs: hasPictures)
            try #require(differences == "", "seed \(seed), \(changes)")
        }
        let verify = try Command.run([Sidekick.binary, "verify", folder("www")], mayFail: true)
        #expect(verify.status == 0, "\(verify.text)\(verify.error)")
    }
}

import Foundation
import Git
import TestSupport
import Testing

/// Packs as git makes them, and as nobody does, against git-index-pack(1).
@Suite struct `An indexed pack` {
    private let executor = GitExecutor(label: "test.git")
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = Store(path: folder("git"))
        _ = try store.openToFill()
    }

    /// Pages that differ little, files of every size, and several commits.
    private static func source(commits: Int, pages: Int) throws -> GitRepository {
        let source = try GitRepository()
        var random = SeededNumbers(seed: SeededNumbers.seed)
        let words = (0..<400).map { _ in String(random.next(), radix: 36) }
        for commit in 0..<commits {
            var files: [String: String?] = ["empty": "", "one": "\(commit % 10)"]
            for page in 0..<pages where commit == 0 || page % 7 == commit % 7 {
                files["\(page % 10)/\(page).html"] =
                    words.prefix(20 + page % 90).joined(separator: " ") + " \(page) \(commit)"
            }
            if commit % 3 == 0 {
                // One that is inflated at once, and two that are piece by piece.
                for (name, size) in [("64k", 6_000), ("1m", 99_000), ("2m", 180_000)] {
                    files[name] = (0..<size).map { String($0 &* (commit + 7), radix: 36) }.joined(separator: "\n")
                }
            }
            try source.commit(files)
        }
        return source
    }

    /// - Returns: whether it was taken.
    private func take(_ pack: [UInt8], bringing id: ObjectID, pieces: Int, in store: Store? = nil) async throws -> Bool
    {
        let receiver = PackReceiver(into: store ?? self.store, on: executor)
        do {
            for start in stride(from: 0, to: pack.count, by: pieces) {
                _ = try await receiver.append(Array(pack[start..<min(start + pieces, pack.count)]))
            }
            return try await receiver.finish(bringing: id, shallow: [], unshallow: [])
        } catch is GitError {
            await receiver.abandon()
            return false
        }
    }

    private func packs(_ store: Store, _ end: String) throws -> [String] {
        let folder = store.path + "/objects/pack"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(end) }.map {
            folder + "/" + $0
        }
    }

    private static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    @Test(arguments: [
        ["--window=50", "--depth=50"], ["--window=50", "--depth=4000"], ["--window=0"],
        ["--window=20", "--delta-base-offset"], ["--compression=0"], ["--compression=9", "--window=100"],
    ])
    func `is as git makes it, however it was packed and in whatever pieces it comes`(options: [String]) async throws {
        let source = try Self.source(commits: 12, pages: 300)
        let head = try #require(ObjectID(hex: source.head))
        let base = source.folder("pack")
        _ = try Command.run(
            ["git", "-C", source.path, "pack-objects", "--all", "-q"] + options + [base],
            environment: GitRepository.environment(), input: Data())
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: source.path).first { $0.hasSuffix(".idx") })
        let path = source.folder(String(name.dropLast(4)))
        let pack = try Self.bytes(path + ".pack")
        for pieces in [1 << 20, 65_515, 997] {
            let folder = try TemporaryFolder()
            let store = Store(path: folder("git"))
            _ = try store.openToFill()
            #expect(try await take(pack, bringing: head, pieces: pieces, in: store))
            let made = try #require(try packs(store, ".idx").first)
            #expect(try Self.bytes(made) == Self.bytes(path + ".idx"))
            #expect(try Self.bytes(String(made.dropLast(4)) + ".pack") == pack)
            withExtendedLifetime(folder) {}
        }
    }

    /// A server sends differences from what it was told is here.
    @Test func `of a thin pack has what the pack lacks`() async throws {
        let source = try Self.source(commits: 9, pages: 200)
        let commits = try source.git("rev-list", "--reverse", "HEAD").split(separator: "\n").map(String.init)
        var last: String?
        for commit in commits {
            let wanted = Data((commit + "\n" + (last.map { "^\($0)\n" } ?? "")).utf8)
            let pack = try Command.run(
                ["git", "-C", source.path, "pack-objects", "--revs", "--thin", "--stdout", "-q", "--window=50"],
                environment: GitRepository.environment(), input: wanted)
            let id = try #require(ObjectID(hex: commit))
            #expect(try await take(Array(pack.output), bringing: id, pieces: 4_096))
            last = commit
        }
        let result = try Command.run(
            ["git", "--git-dir", store.path, "fsck", "--full", "--strict", "--no-dangling", commits.last ?? ""],
            environment: GitRepository.environment(), mayFail: true)
        #expect(result.status == 0, "\(result.error)")
        for index in try packs(store, ".idx") {
            try Command.run(["git", "verify-pack", index], environment: GitRepository.environment())
        }
    }

    /// A bit is another one, bytes are gone or are there twice, with and without the right checksum at the end: taken where git takes it.
    @Test func `is made of what git takes, and of nothing else`() async throws {
        let source = try Self.source(commits: 3, pages: 40)
        try source.git("repack", "-adfq", "--window=50")
        let id = try #require(ObjectID(hex: source.head))
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: source.folder(".git/objects/pack")).first {
                $0.hasSuffix(".pack")
            })
        let good = try Self.bytes(source.folder(".git/objects/pack/\(file)"))
        var random = SeededNumbers(seed: SeededNumbers.seed)
        let scratch = try TemporaryFolder()
        try Command.run(["git", "init", "-q", "--bare", scratch("git")], environment: GitRepository.environment())
        var (taken, differing) = (0, [String]())
        for number in 0..<Differential.count(250) {
            var pack = Array(good.dropLast(20))
            // What comes first and what comes last is where the most can be wrong.
            let place =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: Int.random(in: 0..<min(60, pack.count), using: &random)
                case 1: Int.random(in: max(0, pack.count - 200)..<pack.count, using: &random)
                default: Int.random(in: 0..<pack.count, using: &random)
                }
            let what: String
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                what = "a byte less"
                pack.remove(at: place)
            case 1:
                what = "a byte twice"
                pack.insert(pack[place], at: place)
            case 2:
                what = "cut"
                pack.removeSubrange(place...)
            case 3:
                what = "more"
                pack += pack[place...].prefix(30)
            default:
                what = "a bit"
                pack[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            let isWhole = !random.isOne(in: 4)
            pack += isWhole ? try TestSupport.SHA1.digest(pack) : Array(good.suffix(20))
            let ours = try await take(pack, bringing: id, pieces: Int.random(in: 100...100_000, using: &random))
            try scratch.write("", to: "pack")
            try Data(pack).write(to: URL(filePath: scratch("pack")))
            let result = try Command.run(
                ["git", "-C", scratch("git"), "index-pack", "-o", scratch("out.idx"), scratch("pack")],
                environment: GitRepository.environment(), mayFail: true)
            if result.status == 0 { taken += 1 }
            // One that has lost what was asked for is not taken here.
            var theirs = result.status == 0
            if theirs {
                let list = try Command.run(
                    ["git", "show-index"], input: try Data(contentsOf: URL(filePath: scratch("out.idx"))))
                theirs = list.text.contains(id.description)
            }
            if ours != theirs { differing.append("\(number), \(what) at \(place): \(ours ? "taken" : result.error)") }
            for path in try packs(store, "") { try FileManager.default.removeItem(atPath: path) }
            try? FileManager.default.removeItem(atPath: scratch("out.idx"))
        }
        #expect(differing.isEmpty, "\(differing.joined(separator: "\n"))")
        #expect(!FileManager.default.fileExists(atPath: store.path + "/sidekick-incoming"))
    }

    // MARK: packs that nobody makes

    @Test func `has chains and fans of any length, and the memory of a few objects`() async throws {
        let beginning = String(repeating: "x", count: 60_000)
        for fan in [1, 20] {
            let base = try RawObject.blob(beginning + "10000000")
            var pack = PackBytes([base])
            // What the next ones differ from.
            var start = 12
            let size = base.body.count
            var last = ""
            for step in 0..<2_000 / fan {
                var next = start
                for leaf in 0..<fan {
                    last = String(20_000_000 + step * fan + leaf)
                    var delta = Delta(from: size, to: size, copying: size - 8)
                    delta.insert(last)
                    next = pack.offset
                    pack.add(delta, back: next - start)
                }
                start = next
            }
            let object = try RawObject.blob(beginning + last)
            let before = ObjectLimits.held
            let id = try #require(ObjectID(hex: "\(object.id)"))
            #expect(try await take(pack.whole(), bringing: id, pieces: 50_000))
            #expect(ObjectLimits.held - before < 4 << 20)
            let path = try #require(try packs(store, ".idx").first)
            try Command.run(["git", "verify-pack", path], environment: GitRepository.environment())
            for path in try packs(store, "") { try FileManager.default.removeItem(atPath: path) }
        }
    }

    @Test func `is not made of differences that lead nowhere, back to themselves, or further than they say`()
        async throws
    {
        let base = try RawObject.blob("some text that is long enough")
        let same = Delta(from: base.body.count, to: base.body.count, copying: base.body.count)
        var nowhere = PackBytes([base])
        nowhere.add(same, onto: try RawObject.blob("nobody has it").id)
        // Each is what the other differs from.
        let (one, two) = (try RawObject.blob("abc"), try RawObject.blob("abd"))
        var circle = PackBytes([base])
        for (to, from) in [(one, two), (two, one)] {
            var delta = Delta(from: 3, to: 3)
            delta.insert(String(decoding: to.body, as: UTF8.self))
            circle.add(delta, onto: from.id)
        }
        var itself = PackBytes([base])
        itself.add(same, back: 1)
        var before = PackBytes([base])
        before.add(same, back: 1_000_000)
        var longer = PackBytes([base])
        longer.add(
            Delta(from: base.body.count, to: base.body.count + 1, copying: base.body.count), back: longer.offset - 12)
        var other = PackBytes([base])
        other.add(
            Delta(from: base.body.count + 1, to: base.body.count, copying: base.body.count), back: other.offset - 12)
        var beyond = PackBytes([base])
        beyond.add(
            Delta(from: base.body.count, to: base.body.count + 9, copying: base.body.count + 9),
            back: beyond.offset - 12)
        var huge = PackBytes([base])
        huge.add(Delta(from: base.body.count, to: 1 << 40, copying: base.body.count), back: huge.offset - 12)
        let twice = PackBytes([base, base])
        let id = try #require(ObjectID(hex: "\(base.id)"))
        for (name, pack) in [
            "nowhere": nowhere, "circle": circle, "itself": itself, "before": before, "longer": longer, "other": other,
            "beyond": beyond, "huge": huge, "twice": twice,
        ] {
            #expect(try await !take(pack.whole(), bringing: id, pieces: 7), "\(name)")
            #expect(try packs(store, "").isEmpty, "\(name)")
        }
    }

    /// Streams that zlib's own bound is too small for: block after block with nothing in it.
    @Test func `has objects whose streams are longer than zlib makes them`() async throws {
        let text = "a page"
        var deflated: [UInt8] = [0x78, 0x01]
        for _ in 0..<500 { deflated += [0, 0, 0, 0xff, 0xff] }
        deflated += Deflate.stored(Array(text.utf8)).dropFirst(2)
        let object = try RawObject.blob(text)
        var pack = PackBytes([try RawObject.blob("before")])
        pack.add(type: 3, size: text.utf8.count, deflated: deflated)
        pack.add(try RawObject.blob("behind"))
        let id = try #require(ObjectID(hex: "\(object.id)"))
        #expect(try await take(pack.whole(), bringing: id, pieces: 100))
        #expect(try store.open().withBlob(id) { String(decoding: $0, as: UTF8.self) } == text)
    }
}

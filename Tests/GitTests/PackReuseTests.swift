import Foundation
import Git
import TestSupport
import Testing

/// Copies of repositories whose packs have every shape, against what git finds in them.
@Suite struct `A copy of what stands in packs` {
    /// More pages than are worth the look, which differ little from each other, and change.
    private func source(commits: Int = 3) throws -> GitRepository {
        let source = try GitRepository()
        var random = SeededNumbers(seed: SeededNumbers.seed)
        let words = (0..<500).map { _ in String(random.next(), radix: 36) }
        for commit in 0..<commits {
            var files: [String: String?] = ["large": words.joined(separator: "\(commit)")]
            for page in 0..<300 where commit == 0 || page % 7 == commit {
                let text = words.prefix(40 + page % 60).joined(separator: " ")
                files["\(page % 10)/\(page).html"] = "\(text) \(page) \(commit)"
            }
            try source.commit(files)
        }
        return source
    }

    private func check(_ repository: String, depth: Int = 0, _ place: SourceLocation = #_sourceLocation) throws {
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let head = try Command.run(
            ["git", "-C", repository, "rev-parse", "HEAD"], environment: GitRepository.environment()
        ).text.prefix(40)
        let commit = try #require(ObjectID(hex: String(head)))
        try store.openToFill().copy(commit, depth: depth, from: Repository(opening: repository)) { _ in }
        let result = try Command.run(
            ["git", "--git-dir", store.path, "fsck", "--full", "--strict", "--no-dangling"],
            environment: GitRepository.environment(), mayFail: true)
        #expect(result.status == 0, "\(result.error)\(result.text)", sourceLocation: place)
        let count = { (path: String) in
            try Command.run(
                ["git", "-C", path, "rev-list", "--objects", "--count", depth == 0 ? "" : "-1", "\(commit)"].filter {
                    $0 != ""
                }, environment: GitRepository.environment()
            ).text
        }
        if depth == 0 { #expect(try count(store.path) == count(repository), sourceLocation: place) }
    }

    @Test(arguments: [
        ["gc", "-q"], ["repack", "-adfq", "--window=50", "--depth=200"], ["repack", "-adfq", "--depth=0"],
        ["repack", "-adq", "--max-pack-size=1m"], ["repack", "-q"], ["repack", "-adq", "--write-midx"],
        ["count-objects"],
    ])
    func `is whole, however they were packed`(arguments: [String]) throws {
        let source = try source()
        try source.git("config", "pack.packSizeLimit", arguments.contains("--max-pack-size=1m") ? "1m" : "0")
        try Command.run(["git", "-C", source.path] + arguments, environment: GitRepository.environment())
        for depth in [0, 1] { try check(source.path, depth: depth) }
        // Packed in part.
        try source.commit(["0/0.html": "and one in a file of its own"])
        for depth in [0, 1] { try check(source.path, depth: depth) }
    }

    /// As a fetch leaves packs: differences by name, and what they differ from behind them.
    @Test func `is whole where differences name what they differ from`() throws {
        let source = try source(commits: 1)
        let (folder, bare) = try source.bareClone()
        try Command.run(["git", "-C", bare, "config", "fetch.unpackLimit", "1"])
        for round in 0..<3 {
            var files: [String: String?] = [:]
            for page in 0..<250 {
                let text = try source.folder.read("\(page % 10)/\(page).html")
                files["\(page % 10)/\(page).html"] = text + " round \(round)"
            }
            try source.commit(files)
            try Command.run(
                ["git", "-C", bare, "fetch", "-q", source.path, "+HEAD:refs/heads/main"],
                environment: GitRepository.environment())
        }
        for depth in [0, 1] { try check(bare, depth: depth) }
        withExtendedLifetime(folder) {}
    }

    @Test func `is whole where objects are borrowed from another repository`() throws {
        let source = try source()
        try source.git("gc", "-q")
        let folder = try TemporaryFolder()
        try Command.run(
            ["git", "clone", "-q", "--shared", "--bare", source.path, folder("one.git")],
            environment: GitRepository.environment())
        try check(folder("one.git"))
        try Command.run(
            ["git", "clone", "-q", "--shared", "--bare", folder("one.git"), folder("two.git")],
            environment: GitRepository.environment())
        try check(folder("two.git"), depth: 1)
    }

    /// A byte of a pack is another one: what comes is never taken for what it should be.
    @Test func `ends where a pack is damaged, and leaves nothing`() throws {
        let source = try source()
        try source.git("gc", "-q")
        let packs = source.folder(".git/objects/pack")
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: packs).first { $0.hasSuffix(".pack") })
        let path = packs + "/" + name
        let good = try Data(contentsOf: URL(filePath: path))
        chmod(path, 0o644)
        var random = SeededNumbers(seed: SeededNumbers.seed)
        let commit = try #require(ObjectID(hex: source.head))
        var failures = 0
        for _ in 0..<40 {
            var bytes = good
            let place = Int.random(in: 12..<bytes.count - 20, using: &random)
            bytes[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
            try bytes.write(to: URL(filePath: path))
            let folder = try TemporaryFolder()
            let store = Store(path: folder("git"))
            do {
                try store.openToFill().copy(commit, depth: 0, from: Repository(opening: source.path)) { _ in }
                let result = try Command.run(
                    ["git", "--git-dir", store.path, "fsck", "--full", "--no-dangling"],
                    environment: GitRepository.environment(), mayFail: true)
                #expect(result.status == 0, "byte \(place): \(result.error)")
            } catch is GitError {
                failures += 1
                #expect(try FileManager.default.contentsOfDirectory(atPath: store.path + "/objects/pack").isEmpty)
            }
        }
        #expect(failures > 20)
    }
}

import Foundation
import Git
import TestSupport
import Testing

@Suite struct `Copying a commit between repositories` {
    private func fsck(_ path: String) throws -> String {
        let result = try Command.run(
            ["git", "fsck", "--full", "--no-dangling"], in: path, environment: GitRepository.environment(),
            mayFail: true)
        return result.status == 0 ? "" : result.error + result.text
    }

    @Test(arguments: [0, 1, 2, 5])
    func `any depth gives a store that git finds whole`(depth: Int) throws {
        let source = try GitRepository()
        for number in 0..<4 { try source.commit(["file\(number)": "\(number)", "same/x": "x"]) }
        let folder = try TemporaryFolder()
        let store = try Repository(creatingBare: folder("git"))
        let commit = try #require(ObjectID(hex: source.head))
        try store.copy(commit, depth: depth, from: Repository(opening: source.path)) { _ in }
        try store.setReference("refs/sidekick/fetched", to: commit)
        #expect(try fsck(folder("git")) == "")
        let count = try Command.run(
            ["git", "rev-list", "--count", "refs/sidekick/fetched"], in: folder("git"),
            environment: GitRepository.environment())
        #expect(Int(count.text.trimmingCharacters(in: .newlines)) == (depth == 0 ? 4 : min(depth, 4)))
    }

    @Test func `an interrupted copy leaves no end to the history of a deeper one`() throws {
        let source = try GitRepository()
        for number in 0..<3 { try source.commit(["file": "\(number)"]) }
        let folder = try TemporaryFolder()
        let store = try Repository(creatingBare: folder("git"))
        let commit = try #require(ObjectID(hex: source.head))
        try folder.write("\(commit)\n", to: "git/shallow")
        try store.copy(commit, depth: 0, from: Repository(opening: source.path)) { _ in }
        #expect(!folder.has("git/shallow"))
        #expect(try fsck(folder("git")) == "")
    }

    /// As `git clone --filter=blob:none` and a sparse checkout leave it.
    @Test func `of a partial clone comes what it has, later what it has then, and a compaction keeps that`() throws {
        let source = try GitRepository()
        try source.commit(["docs/a": "1", "big": "blob", "other": "x"])
        let folder = try TemporaryFolder()
        try Command.run(["git", "clone", "-q", "--bare", source.path, folder("partial")])
        func lose(_ text: String) throws -> String {
            let id = try Command.run(["git", "hash-object", "--stdin"], input: Data(text.utf8)).text
                .trimmingCharacters(in: .newlines)
            let place = folder("partial/objects/\(id.prefix(2))/\(id.dropFirst(2))")
            try FileManager.default.moveItem(atPath: place, toPath: folder(text))
            return place
        }
        try Command.run(
            [
                "sh", "-c",
                "mkdir aside && mv objects/pack/* aside/ 2>/dev/null; for pack in aside/*.pack; do [ ! -e $pack ] || git unpack-objects -q < $pack; done",
            ], in: folder("partial"), environment: GitRepository.environment())
        let place = try lose("blob")
        _ = try lose("x")
        let store = Store(path: folder("git"))
        let commit = try #require(ObjectID(hex: source.head))
        func copy() throws {
            try store.openToFill().copy(commit, depth: 1, from: Repository(opening: folder("partial"))) { _ in }
        }
        func has(_ text: String) throws -> Bool {
            try store.open().contains(Array(text.utf8).withUnsafeBytes { ObjectID(hashing: $0) })
        }
        // Without the word of git, what is missing is damage.
        #expect(throws: GitError.self) { try copy() }
        try Command.run(
            ["git", "config", "extensions.partialClone", "origin"], in: folder("partial"),
            environment: GitRepository.environment())
        try copy()
        #expect(try has("1") && !has("blob") && !has("x"))
        try FileManager.default.moveItem(atPath: folder("blob"), toPath: place)
        try copy()
        #expect(try has("1") && has("blob") && !has("x"))
        try store.compact(keeping: [commit], depth: 1)
        #expect(try has("1") && has("blob") && !has("x"))
    }

    @Test func `an update brings only what is missing, in one pack`() throws {
        let source = try GitRepository()
        try source.commit(["a": "1", "folder/b": "2"])
        let folder = try TemporaryFolder()
        let store = try Repository(creatingBare: folder("git"))
        try store.copy(try #require(ObjectID(hex: source.head)), depth: 1, from: Repository(opening: source.path)) {
            _ in
        }
        try source.commit(["a": "changed"])
        var received = 0
        try store.copy(try #require(ObjectID(hex: source.head)), depth: 1, from: Repository(opening: source.path)) {
            received = max(received, $0.totalObjects)
        }
        #expect(received == 3, "a commit, a tree and a blob")
        let packs = try FileManager.default.contentsOfDirectory(atPath: folder("git/objects/pack"))
        #expect(packs.filter { $0.hasSuffix(".pack") }.count == 2)
        #expect(packs.allSatisfy { $0.hasSuffix(".pack") || $0.hasSuffix(".idx") })
    }

    @Test func `what the progress throws ends the copy and leaves nothing`() throws {
        struct Enough: Error {}
        let source = try GitRepository()
        try source.commit(["a": "1"])
        let folder = try TemporaryFolder()
        let store = try Repository(creatingBare: folder("git"))
        #expect(throws: Enough.self) {
            try store.copy(try #require(ObjectID(hex: source.head)), depth: 1, from: Repository(opening: source.path)) {
                _ in
                throw Enough()
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("git/objects/pack")).isEmpty)
    }

    @Test func `leftovers of a killed fetch and stale locks are swept`() throws {
        let folder = try TemporaryFolder()
        _ = try Repository(creatingBare: folder("git"))
        for name in ["HEAD.lock", "refs/sidekick/fetched.lock", "objects/pack/pack_git2_ab12", "packed-refs.lock"] {
            try folder.write("", to: "git/" + name)
        }
        for end in ["pack", "idx"] { try folder.write("keep", to: "git/objects/pack/pack-1.\(end)") }
        #expect(Store(path: folder("git")).sweep() == 4)
        #expect(folder.has("git/objects/pack/pack-1.pack"))
        #expect(!folder.has("git/refs/sidekick/fetched.lock"))
    }
}

@Suite struct `A pack that a kill left without its index` {
    @Test func `is no damage, and goes with the next start`() throws {
        let source = try GitRepository()
        let commit = try #require(ObjectID(hex: try source.commit(["file": "1"])))
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        try store.openToFill().copy(commit, depth: 1, from: Repository(opening: source.path)) { _ in }
        try store.open().noteFetched(commit)
        try folder.write("PACK", to: "git/objects/pack/pack-\(String(repeating: "a", count: 40)).pack")
        #expect(try store.isSound())
        #expect(store.sweep() == 1)
        #expect(!folder.has("git/objects/pack/pack-\(String(repeating: "a", count: 40)).pack"))
        #expect(try store.isSound() && store.open().contains(commit))
        // Its own pack without an index is: what was proven to be here is gone.
        for name in try FileManager.default.contentsOfDirectory(atPath: folder("git/objects/pack"))
        where name.hasSuffix(".idx") {
            try FileManager.default.removeItem(atPath: folder("git/objects/pack/" + name))
        }
        #expect(try !store.isSound())
    }
}

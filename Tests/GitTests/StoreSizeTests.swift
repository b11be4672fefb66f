import Foundation
import Git
import TestSupport
import Testing

@Suite struct `The size of a store` {
    @Test func `calls for a compaction when packs or bytes have piled up, and not again right after`() throws {
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        #expect(store.size().bytes == 0 && !store.needsCompaction())
        let source = try GitRepository()
        let commit = try #require(ObjectID(hex: source.commit(["file": "x"])))
        try store.openToFill().copy(commit, depth: 1, from: Repository(opening: source.path)) { _ in }
        func grow(_ megabytes: Int...) throws {
            for size in megabytes {
                let name = "git/objects/pack/pack-\(UUID()).pack"
                try folder.write("", to: name)
                truncate(folder(name), size << 20)
            }
        }
        try grow(20)
        #expect(!store.needsCompaction(), "a first fetch of any size is what there is")
        try grow(6, 6, 6)
        #expect(!store.needsCompaction())
        try grow(12)
        #expect(store.needsCompaction(), "50 is more than twice 20 and 8")
        #expect(store.size().packs == 6)
        // As if three commits were kept that have nothing in common: what is left is what it takes.
        try folder.write("\(store.size().bytes)", to: "git/sidekick-compacted")
        #expect(!store.needsCompaction())
        try grow(20, 20)
        #expect(!store.needsCompaction())
        try grow(20)
        #expect(store.needsCompaction())
        try store.compact(keeping: [commit], depth: 1)
        #expect(store.size().packs == 1 && !store.needsCompaction())
        let noted = Int(try folder.read("git/sidekick-compacted"))
        #expect(noted == store.size().bytes)
        for _ in 0..<49 { try grow(0) }
        #expect(!store.needsCompaction())
        try grow(0)
        #expect(store.needsCompaction())
        for _ in 0..<49 { try grow(0) }
        #expect(store.compaction() == .due)
        try grow(0)
        #expect(store.compaction() == .overdue)
    }

    @Test func `calls for one as well when the site has become much smaller, once`() throws {
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let source = try GitRepository()
        let commit = try #require(ObjectID(hex: source.commit(["file": "x"])))
        try store.openToFill().copy(commit, depth: 1, from: Repository(opening: source.path)) { _ in }
        func grow(_ bytes: Int) throws {
            let name = "git/objects/pack/pack-\(UUID()).pack"
            try folder.write("", to: name)
            truncate(folder(name), bytes)
        }
        try grow(8_000_000)
        #expect(!store.needsCompaction(keeping: 8_000_000))
        // What is published now and the two before it may be of before.
        #expect(!store.needsCompaction(keeping: 100))
        try grow(100)
        #expect(!store.needsCompaction(keeping: 100))
        try grow(100)
        #expect(store.needsCompaction(keeping: 100) && !store.needsCompaction(keeping: 8_000_000))
        #expect(!store.needsCompaction())
        // A history that is kept whole is as large as before.
        try folder.write("8000000 100", to: "git/sidekick-compacted")
        #expect(!store.needsCompaction(keeping: 100) && !store.needsCompaction(keeping: 60))
        #expect(store.needsCompaction(keeping: 40))
        try store.compact(keeping: [commit], depth: 1, bytes: 40)
        #expect(store.size().bytes < 10_000)
        for _ in 0..<5 { try grow(100) }
        #expect(!store.needsCompaction(keeping: 40) && !store.needsCompaction(keeping: 1))
    }
}

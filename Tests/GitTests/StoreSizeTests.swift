import Foundation
import Git
import TestSupport
import Testing

@Suite struct `The size of a store` {
    @Test func `calls for a compaction when packs or bytes have piled up, and not again right after`() throws {
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        #expect(store.size().bytes == 0 && !store.needsCompaction)
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
        #expect(!store.needsCompaction, "a first fetch of any size is what there is")
        try grow(6, 6, 6)
        #expect(!store.needsCompaction)
        try grow(12)
        #expect(store.needsCompaction, "50 is more than twice 20 and 8")
        #expect(store.size().packs == 6)
        // As if three commits were kept that have nothing in common: what is left is what it takes.
        try folder.write("\(store.size().bytes)", to: "git/sidekick-compacted")
        #expect(!store.needsCompaction)
        try grow(20, 20)
        #expect(!store.needsCompaction)
        try grow(20)
        #expect(store.needsCompaction)
        try store.compact(keeping: [commit], depth: 1)
        #expect(store.size().packs == 1 && !store.needsCompaction)
        let noted = Int(try folder.read("git/sidekick-compacted"))
        #expect(noted == store.size().bytes)
        for _ in 0..<49 { try grow(0) }
        #expect(!store.needsCompaction)
        try grow(0)
        #expect(store.needsCompaction)
        for _ in 0..<49 { try grow(0) }
        #expect(store.compaction == .due)
        try grow(0)
        #expect(store.compaction == .overdue)
    }
}

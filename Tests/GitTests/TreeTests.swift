import Foundation
import Git
import TestSupport
import Testing

@Suite struct `Reading trees` {
    @Test func `object ids survive a round trip and refuse what is not one`() throws {
        let hex = "0123456789abcdef0123456789abcdef01234567"
        #expect(ObjectID(hex: hex)?.description == hex)
        #expect(ObjectID(hex: hex.uppercased())?.description == hex)
        #expect(ObjectID(hex: String(hex.dropLast())) == nil)
        #expect(ObjectID(hex: hex.replacingOccurrences(of: "0", with: "g")) == nil)
    }

    @Test func `a blob is named as git names it`() {
        let bytes = Array("hello\n".utf8)
        #expect(
            bytes.withUnsafeBytes { ObjectID(hashing: $0) }.description
                == "ce013625030ba8dba906f756967f9e9ca394464a")
        #expect(
            ObjectID(hashing: UnsafeRawBufferPointer(start: nil, count: 0)).description
                == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    }

    @Test func `a diff lists what differs and nothing else`() throws {
        let source = try GitRepository()
        let first = try source.commit(["a/one": "1", "a/two": "2", "b/three": "3", "same/x": "x", "kind": "file"])
        let second = try source.commit([
            "a/one": "changed", "a/two": nil, "b/four": "4", "kind": nil, "kind/inside": "now a folder",
        ])
        let repository = try Repository(opening: source.path)
        var changes: [String: String] = [:]
        try repository.differences(
            from: repository.commit(try #require(ObjectID(hex: first))).tree,
            to: repository.commit(try #require(ObjectID(hex: second))).tree, depth: 10, folders: 100,
            including: { _, _, _ in true }
        ) { change in
            changes[change.path.description] = "\(change.old == nil ? "-" : "old") \(change.new == nil ? "-" : "new")"
        }
        #expect(
            changes == [
                "a/one": "old new", "a/two": "old -", "b/four": "- new", "kind": "old -", "kind/inside": "- new",
            ])
    }

    @Test func `a diff does not read folders that are equal`() throws {
        let source = try GitRepository()
        var files: [String: String?] = [:]
        for number in 0..<50 { files["folder\(number)/file"] = "\(number)" }
        let first = try source.commit(files)
        let second = try source.commit(["folder7/file": "changed"])
        let repository = try Repository(opening: source.path)
        // Two folders differ, the root and folder7: a third one would be one too many.
        var count = 0
        try repository.differences(
            from: repository.commit(try #require(ObjectID(hex: first))).tree,
            to: repository.commit(try #require(ObjectID(hex: second))).tree, depth: 10, folders: 2,
            including: { _, _, _ in true }
        ) { _ in count += 1 }
        #expect(count == 1)
    }

    @Test func `a name that stands twice in a tree is an error`() throws {
        let source = try GitRepository()
        let blob = try source.blob("x")
        let commit = try source.commit(rows: [("100644", "a", blob), ("100644", "a", blob)])
        let repository = try Repository(opening: source.path)
        let tree = try repository.commit(try #require(ObjectID(hex: commit))).tree
        #expect(throws: GitError.self) { try repository.entries(of: tree) }
    }

    @Test func `names come as they are stored, UTF-8 or not`() throws {
        let source = try GitRepository()
        let blob = try source.blob("x")
        let raw = Data("100644 ".utf8) + Data([0xff, 0x0a, 0x01]) + Data([0])
        var tree = raw
        var hex = Substring(blob)
        while let byte = UInt8(hex.prefix(2), radix: 16), !hex.isEmpty {
            tree.append(byte)
            hex = hex.dropFirst(2)
        }
        let id = try source.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input: tree)
        let repository = try Repository(opening: source.path)
        let entries = try repository.entries(of: try #require(ObjectID(hex: id)))
        #expect(entries.map(\.name.bytes) == [[0xff, 0x0a, 0x01]])
    }

    @Test(.enabled(if: geteuid() == 0, "changing an owner needs root"))
    func `the configuration of the host does not reach in`() throws {
        // An owner that is not ours would be refused ("dubious ownership") by git and by libgit2's default.
        let source = try GitRepository()
        try source.commit(["a": "1"])
        chown(source.folder(".git"), 12345, 12345)
        chown(source.path, 12345, 12345)
        let repository = try Repository(opening: source.path)
        #expect(try repository.reference("HEAD") != nil)
    }
}

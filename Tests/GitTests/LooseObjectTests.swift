import Foundation
import TestSupport
import Testing

@testable import Git

@Suite struct `Objects in files of their own` {
    private static func lent(_ id: String, in source: GitRepository) throws -> Data? {
        var found = Data()
        let id = try #require(ObjectID(hexDigits: id.utf8))
        let isLent = try LooseObject.lend(id, in: ["/nowhere", source.folder(".git/objects")]) {
            found.append(contentsOf: $0)
        }
        return isLent ? found : nil
    }

    /// As git's own index-pack reads it.
    private static func unpacked(_ entries: [Data], in source: GitRepository) throws -> String {
        var pack = PackBytes()
        for entry in entries { pack.add(entries: Array(entry), count: 1) }
        try Data(pack.whole()).write(to: URL(filePath: source.folder("x.pack")))
        try source.git("index-pack", "x.pack")
        return try source.git("verify-pack", "-v", "x.idx")
    }

    @Test func `of all kinds and sizes are entries of a pack`() throws {
        let source = try GitRepository()
        var random = SeededNumbers(seed: 3)
        for (number, size) in [0, 1, 15, 16, 2_047, 2_048, 300_000, 1 << 20].enumerated() {
            let data = Data((0..<size).map { _ in UInt8.random(in: 0...(number % 2 == 0 ? 3 : 255), using: &random) })
            try data.write(to: URL(filePath: source.folder("f\(number)")))
        }
        try source.git("add", ".")
        try source.commit([:])
        try source.git("tag", "-a", "-m", "x", "v1")
        let ids =
            try source.git("rev-list", "--objects", "--no-object-names", "v1").split(separator: "\n").map(String.init)
            + [source.git("rev-parse", "v1")]
        let entries = try Set(ids).map { try #require(try Self.lent($0, in: source), "\($0)") }
        let listed = try Self.unpacked(entries, in: source)
        for id in ids { #expect(listed.contains(id), "\(id)") }
    }

    @Test func `that are none lend nothing`() throws {
        let source = try GitRepository()
        try source.folder.write("page", to: "a")
        let id = try source.git("hash-object", "-w", "a")
        #expect(try Self.lent(id, in: source) != nil)
        #expect(try Self.lent(String(repeating: "1", count: 40), in: source) == nil)
        let file = source.folder(".git/objects/\(id.prefix(2))/\(id.dropFirst(2))")
        for head in [
            "blob", "blob x\0", "blib 4\0", "blob  4\0", "blob -4\0", " 4\0",
            "blob 4" + String(repeating: "0", count: 40),
        ] {
            chmod(file, 0o644)
            let script = "import sys,zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))"
            let bytes = try Command.run(["python3", "-c", script], input: Data((head + "page").utf8)).output
            try bytes.write(to: URL(filePath: file))
            #expect(try Self.lent(id, in: source) == nil, "\(head.debugDescription)")
        }
        try Data("no zlib at all".utf8).write(to: URL(filePath: file))
        #expect(try Self.lent(id, in: source) == nil)
    }
}

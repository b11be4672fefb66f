import Content
import Foundation
import Git
import TestSupport
import Testing

@Suite struct `The bytes of content` {
    /// Against `git hash-object`, with the bytes cut into pieces at random.
    @Test func `bytes that come in pieces are named as git names them`() throws {
        let source = try GitRepository()
        var random = SeededNumbers(seed: SeededNumbers.seed)
        for count in [0, 1, 63, 64, 65, 4_095, 65_536, 1_000_000] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let name = try source.git("hash-object", "-w", "--stdin", input: Data(bytes))
            let content = ContentID.blob(try #require(ObjectID(hex: name)))
            for isWrong in [false, true] {
                var check = ContentCheck(content, size: Int64(count))
                var rest = bytes[...]
                if isWrong, count > 0 { rest[rest.startIndex] ^= 1 }
                while !rest.isEmpty {
                    let piece = rest.prefix(Int.random(in: 1...70_000, using: &random))
                    piece.withUnsafeBytes { check.update($0) }
                    rest = rest.dropFirst(piece.count)
                }
                let matches = check.matches()
                #expect(matches == !(isWrong && count > 0), "\(count) bytes")
            }
            let contents = Contents(try Repository(opening: source.path), lfs: LFSStore(path: "/nonexistent"))
            #expect(try contents.target(of: content) == bytes)
            #expect(try contents.size(of: content) == Int64(count))
        }
    }

    @Test func `a commit of another repository has no bytes here`() throws {
        let source = try GitRepository()
        let contents = Contents(try Repository(opening: source.path), lfs: LFSStore(path: "/nonexistent"))
        let submodule = ContentID.commit(try #require(ObjectID(hex: String(repeating: "5", count: 40))))
        #expect(try contents.target(of: submodule).isEmpty)
        #expect(try contents.size(of: submodule) == 0)
        #expect(try contents.contains(submodule, size: 0))
    }
}

import Foundation
import Git
import TestSupport
import Testing

@Suite struct `Blobs in pieces` {
    /// A repository whose blobs stand whole in one pack, and those blobs.
    private static func packed(_ files: [String: Data], window: Int) throws -> (GitRepository, [ObjectID]) {
        let source = try GitRepository()
        for (name, data) in files { try data.write(to: URL(filePath: source.folder(name))) }
        try source.git("add", ".")
        try source.commit([:])
        try source.git("repack", "-adfq", "--window=\(window)")
        let ids = try files.keys.sorted().map {
            try #require(ObjectID(hexDigits: source.git("rev-parse", "HEAD:\($0)").utf8))
        }
        return (source, ids)
    }

    private static func bytes(_ count: Int, seed: UInt64, spread: Int) -> Data {
        var random = SeededNumbers(seed: seed)
        return Data((0..<count).map { _ in UInt8.random(in: 0...UInt8(spread), using: &random) })
    }

    @Test func `are git's, of any size, however they compress`() throws {
        var files: [String: Data] = [:]
        for (number, size) in [0, 1, 1 << 16, 1 << 18, (1 << 18) + 1, 3 << 20].enumerated() {
            for spread in [0, 3, 255] {
                files["\(number)-\(spread)"] = Self.bytes(size, seed: UInt64(number), spread: spread)
            }
        }
        let (source, ids) = try Self.packed(files, window: 0)
        let repository = try Repository(opening: source.path)
        for (id, name) in zip(ids, files.keys.sorted()) {
            let data = try #require(files[name])
            var (found, largest) = (Data(), 0)
            let isStreamed = try repository.streamBlob(id, size: Int64(data.count)) {
                found.append(contentsOf: $0)
                largest = max(largest, $0.count)
            }
            #expect(isStreamed && found == data && largest <= 1 << 18, "\(name)")
        }
    }

    @Test func `are not those that stand as a difference, alone, or by another size`() throws {
        let base = Self.bytes(300_000, seed: 7, spread: 255)
        let (source, ids) = try Self.packed(["a": base, "b": base + Data("more".utf8)], window: 10)
        try source.folder.write("loose", to: "loose")
        let loose = try #require(ObjectID(hexDigits: source.git("hash-object", "-w", "loose").utf8))
        let repository = try Repository(opening: source.path)
        func lends(_ id: ObjectID, _ size: Int64) throws -> Bool { try repository.streamBlob(id, size: size) { _ in } }
        let whole = try [lends(ids[0], 300_000), lends(ids[1], 300_004)]
        #expect(whole.filter { $0 }.count == 1, "one of two that are alike stands as a difference")
        #expect(try !lends(loose, 5) && !lends(ids[0], 299_999))
    }

    @Test(arguments: [20, 5_000, 290_000])
    func `are refused when a bit of them is another`(place: Int) throws {
        let (source, ids) = try Self.packed(["a": Self.bytes(300_000, seed: 9, spread: 255)], window: 0)
        let folder = source.folder(".git/objects/pack")
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".pack") })
        var pack = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        let start = try #require(pack.firstRange(of: Data([0x78]))?.lowerBound)
        pack[start + place + 200] ^= 4
        chmod("\(folder)/\(name)", 0o644)
        try pack.write(to: URL(filePath: "\(folder)/\(name)"))
        let repository = try Repository(opening: source.path)
        let error = #expect(throws: GitError.self) { _ = try repository.streamBlob(ids[0], size: 300_000) { _ in } }
        #expect(error?.isDamage == true)
    }
}

import Foundation
import Glibc
import Git
import TestSupport
import Testing

@Suite struct `A pointer to an object of Git LFS` {
    private static let id = String(repeating: "4d7a2146", count: 8)

    private func pointer(_ text: String) -> LFSPointer? { LFSPointer(Array(text.utf8)) }

    private func text(
        _ version: String = "https://git-lfs.github.com/spec/v1", oid: String? = nil, size: String = "12345"
    )
        -> String
    {
        "version \(version)\noid sha256:\(oid ?? Self.id)\nsize \(size)\n"
    }

    @Test func `is three lines in their order, of three versions`() throws {
        let id = try #require(LFSObjectID(hex: Self.id.utf8))
        for version in [
            "https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1", "http://git-media.io/v/2",
        ] {
            #expect(pointer(text(version))?.object == LFSObject(id: id, size: 12_345))
            #expect(LFSPointer.sizes.contains(Int64(text(version).utf8.count)))
        }
        #expect(pointer("\n " + text().replacingOccurrences(of: "\n", with: "\r\n\r\n") + " \t")?.object.size == 12_345)
        #expect(id.description == Self.id)
    }

    @Test func `of the empty object is one, and of no other without bytes`() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(pointer(text(oid: empty, size: "0"))?.object == .empty)
        #expect(pointer(text(size: "0")) == nil)
        #expect(LFSObject.empty.id.description == empty)
    }

    @Test func `is nothing else`() {
        for other in [
            "", "version", text("https://example.org/v1"), text(oid: Self.id.uppercased()),
            text(oid: String(Self.id.dropLast())),
            text(oid: Self.id + "0"), text(size: "-1"), text(size: "1e3"), text(size: "9223372036854775808"),
            text() + "x y\n",
            text().replacingOccurrences(of: "sha256", with: "sha512"),
            // A program of the repository's own made it.
            text().replacingOccurrences(of: "oid", with: "ext-0-foo sha256:\(Self.id)\noid"),
            "oid sha256:\(Self.id)\nversion https://git-lfs.github.com/spec/v1\nsize 1\n",
        ] {
            #expect(pointer(other) == nil, "\(other)")
        }
    }

    /// Against `git lfs pointer --check`: what is one here is one there, and the other way around but for what is refused above.
    @Test func `is what git-lfs takes for one`() throws {
        var random = SeededNumbers(seed: SeededNumbers.seed)
        let folder = try TemporaryFolder()
        let spare = Array(" \n\r\tabc0:sha256version size oid 1-+/".utf8)
        var (agreed, taken) = (0, 0)
        for _ in 0..<250 {
            var bytes = Array(text(size: "\(Int.random(in: 1...99_999, using: &random))").utf8)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(spare.randomElement(using: &random)!, at: place)
                case 2: bytes[place] = spare.randomElement(using: &random)!
                default: bytes.insert(contentsOf: [10, 10].prefix(Int.random(in: 1...2, using: &random)), at: place)
                }
            }
            try Data(bytes).write(to: URL(filePath: folder("pointer")))
            let verdict = try Command.run(
                ["git", "lfs", "pointer", "--check", "--no-strict", "--file=\(folder("pointer"))"],
                environment: GitRepository.environment(), mayFail: true)
            let ours = LFSPointer(bytes)
            if ours != nil {
                #expect(verdict.status == 0, "\(String(decoding: bytes, as: UTF8.self))")
                taken += 1
            } else if verdict.status == 0 {
                // git-lfs takes any letters and digits, and what comes behind 64 of them.
                let oid =
                    bytes.split(separator: 10).first { $0.starts(with: "oid ".utf8) }.map { $0.dropFirst(11) } ?? []
                let isHex = oid.filter { $0 != 13 }.allSatisfy { "0123456789abcdef".utf8.contains($0) }
                #expect(!isHex || oid.filter { $0 != 13 }.count != 64, "\(String(decoding: bytes, as: UTF8.self))")
            }
            agreed += 1
        }
        #expect(agreed == 250 && taken > 50, "\(taken)")
    }
}

@Suite struct `The store of Git LFS` {
    private let folder: TemporaryFolder
    private let store: LFSStore
    private let disk = GitExecutor(label: "test.lfs")

    init() throws {
        folder = try TemporaryFolder()
        store = LFSStore(path: folder("lfs"))
    }

    private func object(_ data: Data) throws -> LFSObject {
        LFSObject(id: try #require(LFSObjectID(hex: lfsPointer(to: data).id.utf8)), size: Int64(data.count))
    }

    private func receive(_ data: Data) async throws -> LFSObject {
        let object = try object(data)
        let receiver = LFSReceiver(object, into: store, on: disk)
        _ = try await receiver.begin()
        #expect(try await receiver.append(Array(data)))
        guard case .whole = try await receiver.verdict() else { throw TestFailure("not whole") }
        try store.admit([object])
        return object
    }

    private func file(_ object: LFSObject) -> String { "\(store.path)/\("\(object.id)".prefix(2))/\(object.id)" }

    private func link(_ object: LFSObject, as name: String, mode: mode_t = 0o644, mtime: Int64 = 1_000) throws -> Bool {
        try store.lend(object, mode: mode, mtime: mtime, durable: false) { Glibc.link($0, folder(name)) == 0 }
    }

    private func status(_ path: String) -> stat {
        var status = stat()
        lstat(path, &status)
        return status
    }

    @Test func `lends a file, and its mode and time to whoever has it first`() async throws {
        let object = try await receive(Data("picture".utf8))
        #expect(status(file(object)).st_mode & 0o777 == 0o600)
        #expect(try link(object, as: "a", mtime: 5))
        #expect(status(folder("a")).st_mode & 0o777 == 0o644 && status(folder("a")).st_mtim.tv_sec == 5)
        // The same for two, another for none while one has it.
        #expect(try link(object, as: "b", mtime: 5))
        #expect(try !link(object, as: "c", mtime: 6))
        #expect(try !link(object, as: "c", mode: 0o755, mtime: 5))
        #expect(status(folder("a")).st_nlink == 3)
        unlink(folder("a"))
        unlink(folder("b"))
        #expect(try link(object, as: "c", mode: 0o755, mtime: 6))
    }

    @Test func `does not believe a file that was lent`() async throws {
        let object = try await receive(Data("picture".utf8))
        #expect(try link(object, as: "a"))
        // By its other name, with the time as it was: nothing tells but the bytes.
        try Data("PICTURE".utf8).write(to: URL(filePath: folder("a")), options: [])
        let handle = try FileHandle(forWritingTo: URL(filePath: file(object)))
        try handle.write(contentsOf: Data("PICTURE".utf8))
        try handle.close()
        #expect(throws: LFSObjectMissing.self) { try link(object, as: "b") }
        #expect(!store.contains(object))
        _ = try await receive(Data("picture".utf8))
        #expect(try link(object, as: "b"))
        #expect(throws: LFSObjectMissing.self) { try store.read(try self.object(Data("other".utf8))) { _ in } }
    }

    @Test func `keeps what it is told to`() async throws {
        let objects = try await [receive(Data("a".utf8)), receive(Data("b".utf8)), receive(Data("c".utf8))]
        #expect(try store.prune(keeping: [objects[1].id]) { true } == nil)
        #expect(try store.prune(keeping: [objects[1].id]) { false } == 1)
        #expect(objects.map { store.contains($0) } == [false, true, false])
        #expect(store.contains(.empty))
    }
}

import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Records and intents on the disk` {
    private static let paths: [[UInt8]] = [
        Array("a".utf8), Array("dir/with space".utf8), Array("new\nline".utf8), Array("end\n".utf8),
        [0xff, 0x2f, 0x0a],
        Array(" 1 2 3".utf8), Array(repeating: 0xe9, count: 255), Array("sidekick record 1\n".utf8),
    ]

    private func record() throws -> TreeRecord {
        var record = TreeRecord(
            commit: try id(String(repeating: "0a", count: 20)), tree: try id(String(repeating: "f9", count: 20)),
            subdirectory: "with space/and\nline", policy: PublishingOptions().policy, root: .max, published: -5,
            removedFloor: .max)
        let kinds: [EntryKind] = [.file(executable: false), .file(executable: true), .link, .submodule]
        for (number, path) in Self.paths.enumerated() {
            record.entries[TreePath(bytes: path)] = RecordedEntry(
                kind: kinds[number % 4], id: try id(String(repeating: "0\(number)", count: 20)),
                size: number == 0 ? .max : Int64(number), mtime: number == 1 ? .min : Int64(number) * 1_000_000_000,
                inode: number == 2 ? .max : UInt64(number))
        }
        return record
    }

    private let intent = Intent(
        staging: "0123456789012345678901234567890123456789",
        steps: paths.enumerated().flatMap { number, path in
            let path = TreePath(bytes: path)
            return [.place(number, path), .remove(path), .makeFolder(path)] as [Intent.Step]
        })

    @Test func `a record reads as it was written`() throws {
        let record = try record()
        #expect(TreeRecord(decoding: record.encoded()) == record)
        var empty = record
        empty.entries = [:]
        empty.subdirectory = ""
        #expect(TreeRecord(decoding: empty.encoded()) == empty)
    }

    @Test func `an intent reads as it was written`() {
        #expect(Intent(decoding: intent.encoded()) == intent)
        let empty = Intent(staging: "x", steps: [])
        #expect(Intent(decoding: empty.encoded()) == empty)
    }

    @Test func `no beginning of a record is taken for one`() throws {
        let bytes = try record().encoded()
        for count in 0..<bytes.count where TreeRecord(decoding: Array(bytes[..<count])) != nil {
            Issue.record("\(count) of \(bytes.count) bytes")
        }
    }

    @Test func `no beginning of an intent is taken for one`() {
        let bytes = intent.encoded()
        for count in 0..<bytes.count where Intent(decoding: Array(bytes[..<count])) != nil {
            Issue.record("\(count) of \(bytes.count) bytes")
        }
    }

    @Test func `a file of zeros, as a power cut leaves it, is neither`() {
        for count in [1, 512, 4096] {
            let zeros = [UInt8](repeating: 0, count: count)
            #expect(TreeRecord(decoding: zeros) == nil)
            #expect(Intent(decoding: zeros) == nil)
        }
    }

    @Test func `a record with a count that cannot be is refused, not believed`() throws {
        let text = String(
            decoding: try {
                var r = try record(); r.entries = [:]; return r.encoded()
            }(), as: UTF8.self)
        for count in ["-1", "1", "9223372036854775807", "18446744073709551615", "x", ""] {
            let changed = text.replacing(" 0\nend\n", with: " \(count)\nend\n")
            #expect(changed != text)
            #expect(TreeRecord(decoding: Array(changed.utf8)) == nil, "\(count)")
        }
    }

    /// In a process of its own: a trap would end this one, and every start of a sidekick that finds such a file.
    @Test func `an intent with a count that cannot be is refused, not believed`() async {
        await #expect(processExitsWith: .success) {
            for count in ["-1", "1", "9223372036854775807", "18446744073709551615", "x", ""] {
                let text = "sidekick intent 1\nstaging\n\(count)\nend\n"
                guard Intent(decoding: Array(text.utf8)) == nil else { throw TestFailure(count) }
            }
        }
    }
}

import Content
import Foundation
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

    private func record(_ paths: [[UInt8]] = Self.paths) throws -> TreeRecord {
        var record = TreeRecord(
            layout: .exchange,
            revision: Revision(
                commit: try id(String(repeating: "0a", count: 20)),
                recipe: Recipe(subdirectory: TreePath("with space/and\nline"), modificationTimes: .content)),
            tree: try id(String(repeating: "f9", count: 20)), root: .max, published: -5, removedFloor: .max)
        let kinds: [EntryKind] = [.file(executable: false), .file(executable: true), .link, .submodule]
        record.apply(
            try paths.enumerated().reduce(into: [:]) { rows, item in
                let (number, path) = item
                let object = try id(String(repeating: "0\(number % 10)", count: 20))
                rows[TreePath(bytes: path)] = RecordedEntry(
                    kind: kinds[number % 4], content: number % 4 == 3 ? .commit(object) : .blob(object),
                    size: number == 0 ? 1 << 60 : Int64(number),
                    mtime: number == 1 ? .min : Int64(number) * 1_000_000_000,
                    inode: number == 2 ? .max : UInt64(number))
            })
        return record
    }

    private func decoded(_ bytes: [UInt8]) throws -> TreeRecord? { try TreeRecord(decoding: bytes) { _ in nil } }

    private func rows(_ record: TreeRecord) -> [TreePath: RecordedEntry] {
        var rows: [TreePath: RecordedEntry] = [:]
        record.rows.forEach { rows[$0] = $1 }
        return rows
    }

    private func expectSame(_ one: TreeRecord, _ other: TreeRecord?) throws {
        let other = try #require(other)
        #expect(other.layout == one.layout && other.revision == one.revision && other.tree == one.tree)
        #expect(other.root == one.root)
        #expect(other.published == one.published && other.removedFloor == one.removedFloor)
        #expect(other.count == one.count)
        #expect(rows(other) == rows(one))
        for (path, entry) in rows(one) { #expect(other[path] == entry) }
    }

    private let intent = Intent(
        staging: "0123456789012345678901234567890123456789",
        steps: paths.enumerated().flatMap { number, path in
            let path = TreePath(bytes: path)
            return [.place(number, path), .remove(path), .makeFolder(path)] as [Intent.Step]
        })

    @Test func `a record reads as it was written`() throws {
        let record = try record()
        #expect(rows(record).count == Self.paths.count)
        try expectSame(record, decoded(record.encoded()))
        var empty = try self.record([])
        empty.revision.recipe.subdirectory = .root
        try expectSame(empty, decoded(empty.encoded()))
    }

    /// Thousands of changes of a few rows each, against a plain dictionary, on the disk all the way.
    @Test func `a record that is changed again and again holds what a dictionary would`() throws {
        let folder = try TemporaryFolder()
        let shelf = RecordShelf(home: folder.path)
        let home = try Directory(opening: folder.path)
        let name = EntryName("record")
        var random = SeededNumbers(seed: SeededNumbers.seed)
        var expected: [TreePath: RecordedEntry] = [:]
        var record = try self.record([])
        for round in 0..<300 {
            var changes: [TreePath: RecordedEntry?] = [:]
            for _ in 0..<(round % 50 == 0 ? 2_000 : Int.random(in: 1...40, using: &random)) {
                let path = TreePath(
                    "folder\(Int.random(in: 0..<50, using: &random))/\(Int.random(in: 0..<100, using: &random))")
                let entry = RecordedEntry(
                    kind: Bool.random(using: &random) ? .link : .file(executable: false), content: .blob(.zero),
                    size: Int64.random(in: 0...9, using: &random),
                    mtime: Int64(round), inode: 1)
                changes.updateValue(random.isOne(in: 3) ? nil : entry, forKey: path)
            }
            for (path, entry) in changes { expected[path] = entry }
            record.apply(changes)
            try shelf.write(record, as: name, in: home)
            record = try #require(try shelf.read(name, in: home))
            #expect(record.rows.segments.count < 12)
        }
        #expect(rows(record) == expected)
        #expect(record.count.entries == expected.count)
        #expect(record.count.bytes == expected.values.reduce(0) { $0 + $1.size })
        #expect(record.links == expected.filter { $0.value.kind == .link })
        for path in expected.keys { #expect(record[path] == expected[path]) }
        #expect(record[TreePath("folder")] == nil && record[TreePath("folder1/200")] == nil)
        try shelf.sweep(keeping: [record])
        try expectSame(record, try shelf.read(name, in: home))
        let files = try FileManager.default.contentsOfDirectory(atPath: folder("segments"))
        #expect(files.count == record.rows.segments.compactMap(\.name).count && !files.isEmpty)
    }

    @Test func `rows that are damaged are refused, or read without a trap`() async {
        await #expect(processExitsWith: .success) {
            let rows = (0..<20).map { RecordRow(path: TreePath("path\($0)"), entry: nil) }
            let whole = RecordSegment.encode(rows)
            for position in whole.indices {
                for value: UInt8 in [0, 1, 0x7f, 0xff] {
                    var bytes = whole
                    bytes[position] = value
                    guard let segment = RecordSegment(copying: bytes) else { continue }
                    for index in 0..<segment.count { _ = segment.row(index) }
                    for row in rows { _ = segment.find(row.path) }
                }
                guard RecordSegment(copying: whole[..<position]) == nil else { throw TestFailure("\(position)") }
            }
        }
    }

    @Test func `an intent reads as it was written`() throws {
        #expect(try Intent(decoding: intent.encoded()) == intent)
        let empty = Intent(staging: "x", steps: [])
        #expect(try Intent(decoding: empty.encoded()) == empty)
    }

    /// Of a site without compressed files a record is what an older program reads.
    @Test func `compressed files stand in a record, and nothing of them in that of a site without`() throws {
        let (source, bytes) = (
            ObjectID(hex: String(repeating: "ab", count: 20))!, ObjectID(hex: String(repeating: "cd", count: 20))!
        )
        var record = TreeRecord(
            layout: .link, revision: Revision(commit: source, recipe: Recipe(lfs: .on, compression: .gzip)),
            tree: bytes,
            root: 1, published: 2)
        let row = RecordedEntry(
            kind: .file(executable: false), content: .compressed(CompressedBlob(source: source, bytes: bytes)),
            size: 77,
            mtime: 5, inode: 6)
        record.apply([
            TreePath("a.html.gz"): row,
            TreePath("a.html"): RecordedEntry(
                kind: .file(executable: true), content: .blob(source), size: 99, mtime: 7, inode: 8),
        ])
        let again = try #require(try decoded(record.encoded()))
        #expect(again[TreePath("a.html.gz")] == row && again.count == record.count)
        #expect(again.count.compressed == 1 && again.count.compressedBytes == 77 && again.count.bytes == 176)
        #expect(again.recipe == record.recipe)
        let plain = try self.record().encoded()
        #expect(plain.firstRange(of: Array("compress".utf8)) == nil)
    }

    @Test func `what a later version wrote is an error, and never nothing`() throws {
        let text = String(decoding: try record([]).encoded(), as: UTF8.self)
        let recipe = try #require(text.split(separator: "\n").first { $0.hasPrefix("{") })
        for (old, new, what) in [
            ("record 3\n", "record 4\n", "sidekick record 4"), ("record 3\n", "record 30\n", "sidekick record 30"),
            ("\n5\n", "\n9\n", "rows of kind 9"),
            (recipe + "", recipe.replacing("}", with: ",\"signatures\":true}"), "a recipe with more in it"),
        ] {
            let changed = text.replacing(old, with: new)
            #expect(changed != text)
            #expect(throws: FormatVersion.Newer(what: what)) { try decoded(Array(changed.utf8)) }
        }
        #expect(throws: FormatVersion.Newer(what: "sidekick intent 2")) {
            try Intent(decoding: Array("sidekick intent 2\nanything".utf8))
        }
    }

    @Test func `no beginning of a record is taken for one`() throws {
        let bytes = try record().encoded()
        for count in 0..<bytes.count where try decoded(Array(bytes[..<count])) != nil {
            Issue.record("\(count) of \(bytes.count) bytes")
        }
    }

    @Test func `no beginning of an intent is taken for one`() throws {
        let bytes = intent.encoded()
        for count in 0..<bytes.count where try Intent(decoding: Array(bytes[..<count])) != nil {
            Issue.record("\(count) of \(bytes.count) bytes")
        }
    }

    @Test func `a file of zeros, as a power cut leaves it, is neither`() throws {
        for count in [1, 512, 4096] {
            let zeros = [UInt8](repeating: 0, count: count)
            #expect(try decoded(zeros) == nil)
            #expect(try Intent(decoding: zeros) == nil)
        }
    }

    @Test func `a record with a count that cannot be is refused, not believed`() throws {
        let text = String(decoding: try record([]).encoded(), as: UTF8.self)
        for count in ["-1", "1", "9223372036854775807", "18446744073709551615", "x", ""] {
            for (old, new) in [("\n0\nend\n", "\n\(count)\nend\n"), ("\n0\n0\nend\n", "\n\(count)\n0\nend\n")] {
                let changed = text.replacing(old, with: new)
                #expect(changed != text)
                #expect(try decoded(Array(changed.utf8)) == nil, "\(count)")
            }
        }
    }

    /// In a process of its own: a trap would end this one, and every start of a sidekick that finds such a file.
    @Test func `an intent with a count that cannot be is refused, not believed`() async {
        await #expect(processExitsWith: .success) {
            for count in ["-1", "1", "9223372036854775807", "18446744073709551615", "x", ""] {
                let text = "sidekick intent 1\nstaging\n\(count)\nend\n"
                guard try Intent(decoding: Array(text.utf8)) == nil else { throw TestFailure(count) }
            }
        }
    }
}

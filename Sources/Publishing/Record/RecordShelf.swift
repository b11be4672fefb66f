import Git
import Glibc

/// Where records are: one small file for each, and the segments that they share.
struct RecordShelf {
    /// `Destination.home`.
    let home: String

    /// So many rows stay in a record's own file, which is written anew at every update; more go to a segment.
    static let maxOwnRows = 512

    private var segmentsPath: String { home + "/segments" }

    /// A record in a folder; `nil` when it is not there or not whole.
    ///
    /// - Throws: `PublishingError.newerState` for one that another program wrote, `DiskError`.
    func read(_ name: EntryName, in folder: Directory) throws -> TreeRecord? {
        try folder.read(name) { bytes in
            let segments = try FileStatus.of(segmentsPath) == nil ? nil : Directory(opening: segmentsPath)
            return try TreeRecord(decoding: bytes) { name in
                try segments.flatMap { try RecordSegment(mapping: name, in: $0) }
            }
        }
    }

    /// Writes a record: whole and on the disk under its name when this returns.
    ///
    /// - Returns: the record in the segments that it has now.
    @discardableResult
    func write(_ record: TreeRecord, as name: EntryName, in folder: Directory) throws -> TreeRecord {
        let record = record.with(try store(record.rows))
        try folder.replace(name, with: try record.encoded(), mode: 0o600)
        return record
    }

    /// Brings the segments without a file into one, on its own or on the disk. One that is as long as half of the next
    /// older one is merged with it: a row is written again a number of times that grows with the logarithm of all.
    private func store(_ rows: RecordRows) throws -> RecordRows {
        let own = rows.segments.prefix { $0.name == nil }
        var older = rows.segments.dropFirst(own.count)
        var merged = Self.merged(Array(own), keepingRemovals: !older.isEmpty)
        guard merged.count > Self.maxOwnRows else {
            return RecordRows(segments: (merged.isEmpty ? [] : [RecordSegment(merged)]) + older)
        }
        while let next = older.first, next.count <= 2 * merged.count {
            older = older.dropFirst()
            merged = Self.merged([RecordSegment(merged), next], keepingRemovals: !older.isEmpty)
        }
        let folder = try Directory(making: segmentsPath)
        let name = Self.freshName()
        try folder.replace(EntryName(name), with: RecordSegment.encode(merged), mode: 0o600)
        guard let segment = try RecordSegment(mapping: name, in: folder) else {
            throw DiskError("read", segmentsPath + "/" + name, code: EIO)
        }
        return RecordRows(segments: [segment] + older)
    }

    private static func merged(_ segments: [RecordSegment], keepingRemovals: Bool) -> [RecordRow] {
        var rows: [RecordRow] = []
        rows.reserveCapacity(segments.reduce(0) { $0 + $1.count })
        RecordRows.merge(segments) { row in
            if keepingRemovals || row.entry != nil { rows.append(row) }
        }
        return rows
    }

    private static func freshName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Removes the segments that no record names.
    ///
    /// - Parameter records: all that there are.
    func sweep(keeping records: [TreeRecord]) throws {
        guard try FileStatus.of(segmentsPath) != nil else { return }
        let folder = try Directory(opening: segmentsPath)
        let used = Set(records.flatMap { $0.rows.segments.compactMap(\.name) }.map { EntryName($0) })
        for name in try folder.names() where !used.contains(name) { try folder.remove(name) }
    }
}

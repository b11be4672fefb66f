import Git

/// An LSM tree (O'Neil and others, 1996): the rows of one record are a few segments, of which a newer one wins over an older one. Records of trees that share files
/// share the segments too.
struct RecordRows: Sendable {
    /// Newest first.
    let segments: [RecordSegment]

    /// Nothing at all.
    static let none = RecordRows(segments: [])

    init(segments: [RecordSegment]) { self.segments = segments }

    /// Rows that are in memory.
    init(_ entries: [TreePath: RecordedEntry]) {
        let rows = entries.sorted { $0.key < $1.key }.map { RecordRow(path: $0.key, entry: $0.value) }
        segments = rows.isEmpty ? [] : [RecordSegment(rows)]
    }

    subscript(path: TreePath) -> RecordedEntry? {
        for segment in segments {
            if let row = segment.find(path) { return row.entry }
        }
        return nil
    }

    /// Every path that stands, in the order of its bytes: all of a folder comes together.
    func forEach(_ body: (TreePath, RecordedEntry) throws -> Void) rethrows {
        try Self.merge(segments) { row in
            if let entry = row.entry { try body(row.path, entry) }
        }
    }

    /// Every row that is the newest of its path, removals too.
    static func merge(_ segments: [RecordSegment], _ body: (RecordRow) throws -> Void) rethrows {
        var positions = [Int](repeating: 0, count: segments.count)
        var heads = segments.map { $0.count > 0 ? $0.row(0) : nil }
        while true {
            var least: Int?
            for index in heads.indices {
                guard let head = heads[index] else { continue }
                if let known = least, let other = heads[known], !(head.path < other.path) { continue }
                least = index
            }
            guard let least, let row = heads[least] else { return }
            try body(row)
            for index in heads.indices where heads[index]?.path == row.path {
                positions[index] += 1
                heads[index] = positions[index] < segments[index].count ? segments[index].row(positions[index]) : nil
            }
        }
    }
}

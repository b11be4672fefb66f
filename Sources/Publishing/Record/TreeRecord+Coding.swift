import Git

/// The record's file: a few lines of text, the names of the segments that it shares with others, then its newest rows, as
/// a segment has them, and a word at the end that tells a whole file from a torn one.
extension TreeRecord {
    private static let magic = "sidekick record 2"

    /// Only the first segment may be without a file.
    func encoded() -> [UInt8] {
        var writer = RecordWriter()
        writer.line(Self.magic)
        writer.line(layout.rawValue)
        writer.line(commit.description)
        writer.line(tree.description)
        writer.terminated(Array(subdirectory.utf8))
        writer.terminated(Array(policy.utf8))
        writer.line("\(root) \(published) \(removedFloor)")
        writer.line("\(count.entries) \(count.files) \(count.bytes) \(count.links)")
        let shared = rows.segments.compactMap(\.name)
        writer.line("\(shared.count)")
        for name in shared { writer.line(name) }
        let own = rows.segments.first.flatMap { $0.name == nil ? $0.encoded : nil }
        writer.line("\(own?.count ?? 0)")
        if let own { writer.raw(own) }
        writer.line("end")
        return writer.bytes
    }

    /// `nil` for anything but a whole record of this version.
    ///
    /// - Parameter segment: opens one by its name.
    init?(decoding bytes: [UInt8], segment: (String) throws -> RecordSegment?) rethrows {
        var reader = RecordReader(bytes)
        guard reader.line() == Self.magic, let layout = reader.line().flatMap({ LayoutKind(rawValue: $0) }),
            let commit = reader.line().flatMap({ ObjectID(hex: $0) }),
            let tree = reader.line().flatMap({ ObjectID(hex: $0) }), let subdirectory = reader.terminated(),
            let policy = reader.terminated(), let root = reader.integer(), let published = reader.integer(),
            let floor = reader.integer(), let entries = reader.integer(), let files = reader.integer(),
            let size = reader.integer(), let links = reader.integer(), let shared = reader.integer()
        else { return nil }
        var segments: [RecordSegment] = []
        // Not counted in memory before it is read: a count can be anything.
        var left = shared
        while left > 0 {
            guard let name = reader.line(), let opened = try segment(name) else { return nil }
            segments.append(opened)
            left -= 1
        }
        guard left == 0, let length = reader.integer(), length >= 0, let own = reader.raw(Int(length)),
            reader.line() == "end"
        else { return nil }
        if length > 0 {
            guard let newest = RecordSegment(copying: own) else { return nil }
            segments.insert(newest, at: 0)
        }
        self.init(
            layout: layout, commit: commit, tree: tree, subdirectory: String(decoding: subdirectory, as: UTF8.self),
            policy: String(decoding: policy, as: UTF8.self), root: UInt64(bitPattern: root), published: published,
            removedFloor: floor,
            count: Count(entries: Int(entries), files: Int(files), bytes: size, links: Int(links)),
            rows: RecordRows(segments: segments))
    }
}

/// Fields end in a space, lines in a newline, byte strings in NUL.
struct RecordWriter {
    private(set) var bytes: [UInt8] = []

    mutating func field(_ text: String) {
        bytes += text.utf8
        bytes.append(UInt8(ascii: " "))
    }

    mutating func line(_ text: String) {
        bytes += text.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func terminated(_ string: [UInt8]) {
        bytes += string
        bytes.append(0)
    }

    mutating func raw(_ string: UnsafeRawBufferPointer) { bytes += string }
}

/// Reads what `RecordWriter` wrote; `nil` from the first thing on that is not as expected.
struct RecordReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func line() -> String? { until(UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) } }
    mutating func field() -> String? { until(UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) } }
    mutating func terminated() -> ArraySlice<UInt8>? { until(0) }

    /// A decimal number, ended by a space or a newline.
    mutating func integer() -> Int64? {
        guard let end = bytes[position...].firstIndex(where: { $0 == 32 || $0 == 10 }), end - position <= 20 else {
            return nil
        }
        defer { position = end + 1 }
        let text = String(decoding: bytes[position..<end], as: UTF8.self)
        return Int64(text) ?? UInt64(text).map { Int64(bitPattern: $0) }
    }

    /// So many bytes as they are.
    mutating func raw(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= bytes.count - position else { return nil }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    private mutating func until(_ end: UInt8) -> ArraySlice<UInt8>? {
        guard position <= bytes.count, let index = bytes[position...].firstIndex(of: end) else { return nil }
        defer { position = index + 1 }
        return bytes[position..<index]
    }
}

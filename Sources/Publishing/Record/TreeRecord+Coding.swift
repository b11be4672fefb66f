import Git

/// The record's file: a few lines of text, then one entry after another, each ended by NUL because a path may hold
/// anything else. The count at the start and the word at the end tell a whole file from a torn one.
extension TreeRecord {
    private static let magic = "sidekick record 1"

    func encoded() -> [UInt8] {
        var writer = RecordWriter()
        writer.line(Self.magic)
        writer.line(commit.description)
        writer.line(tree.description)
        writer.terminated(Array(subdirectory.utf8))
        writer.line(policy)
        writer.line("\(root) \(published) \(removedFloor) \(entries.count)")
        for (path, entry) in entries {
            writer.field(entry.kind.mode)
            writer.field(entry.id.description)
            writer.field(String(entry.size))
            writer.field(String(entry.mtime))
            writer.field(String(entry.inode))
            writer.terminated(path.bytes)
        }
        writer.line("end")
        return writer.bytes
    }

    /// `nil` for anything but a whole record of this version.
    init?(decoding bytes: [UInt8]) {
        var reader = RecordReader(bytes)
        guard reader.line() == Self.magic, let commit = reader.line().flatMap({ ObjectID(hex: $0) }),
            let tree = reader.line().flatMap({ ObjectID(hex: $0) }), let subdirectory = reader.terminated(),
            let policy = reader.line(), let root = reader.integer(), let published = reader.integer(),
            let floor = reader.integer(), let count = reader.integer(), count >= 0
        else { return nil }
        self.init(
            commit: commit, tree: tree, subdirectory: String(decoding: subdirectory, as: UTF8.self),
            policy: policy, root: UInt64(bitPattern: root), published: published, removedFloor: floor)
        entries.reserveCapacity(Int(min(count, 1_000_000)))
        for _ in 0..<count {
            guard let kind = reader.field().flatMap({ EntryKind(mode: $0) }),
                let id = reader.field().flatMap({ ObjectID(hex: $0) }), let size = reader.integer(),
                let mtime = reader.integer(), let inode = reader.integer(), let path = reader.terminated()
            else { return nil }
            entries[TreePath(bytes: Array(path))] = RecordedEntry(
                kind: kind, id: id, size: size, mtime: mtime, inode: UInt64(bitPattern: inode))
        }
        guard reader.line() == "end" else { return nil }
    }
}

extension EntryKind {
    /// git's octal mode.
    var mode: String {
        switch self {
        case .file(let executable): executable ? "100755" : "100644"
        case .link: "120000"
        case .folder: "040000"
        case .submodule: "160000"
        }
    }

    init?(mode: String) {
        switch mode {
        case "100644": self = .file(executable: false)
        case "100755": self = .file(executable: true)
        case "120000": self = .link
        case "040000": self = .folder
        case "160000": self = .submodule
        default: return nil
        }
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

    private mutating func until(_ end: UInt8) -> ArraySlice<UInt8>? {
        guard position <= bytes.count, let index = bytes[position...].firstIndex(of: end) else { return nil }
        defer { position = index + 1 }
        return bytes[position..<index]
    }
}

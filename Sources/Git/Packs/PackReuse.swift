import FoundationEssentials
import Glibc
import Platform

/// Objects as they stand in the packs of a repository, to be copied without being unpacked and packed again (what
/// git-pack-objects(1) calls reuse). Nothing of it is believed: whoever takes them hashes them.
struct PackReuse {
    /// What stands in no pack, or as the difference from something that is not copied as well.
    private(set) var rest: [ObjectID] = []
    private var packs: [Pack] = []

    /// How many objects are copied as they stand.
    var count: Int { packs.reduce(0) { $0 + $1.entries.count } }
    /// Which.
    var ids: [ObjectID] { packs.flatMap { $0.entries.map(\.id) } }

    /// - Parameter folders: those that have the objects, each with a folder `pack` in it.
    init(of objects: [ObjectID], in folders: [String]) throws {
        var left = objects
        for folder in folders where !left.isEmpty {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/pack")) ?? []
            for name in names.sorted() where name.hasSuffix(".idx") && !left.isEmpty {
                try Task.checkCancellation()
                let path = "\(folder)/pack/\(name.dropLast(4))"
                guard let table = PackTable(path + ".idx"), let file = PackFile(path + ".pack") else { continue }
                var found: [(id: ObjectID, start: UInt64)] = []
                left.removeAll { id in
                    guard let start = table.offset(of: id) else { return false }
                    found.append((id, start))
                    return true
                }
                let (pack, others) = try Pack.reading(found, of: table, in: file)
                if !pack.entries.isEmpty { packs.append(pack) }
                rest += others
            }
        }
        rest += left
    }

    /// Lends the entries as they belong into another pack, one after the other.
    ///
    /// - Throws: `GitError` for a pack that cannot be read, what `body` throws.
    func forEachEntry(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        for pack in packs { try pack.forEachEntry(body) }
    }
}

/// What is copied of one pack. A difference is copied where what it differs from stands in the same pack and is copied too, or is
/// packed anew: so none can lead back to itself.
private struct Pack {
    struct Entry {
        let id: ObjectID
        let start: UInt64
        var end: UInt64
        /// The bytes before what is compressed, and what stands in their place.
        var head = 0
        var newHead: [UInt8] = []
    }

    let file: PackFile
    var entries: [Entry]

    /// - Returns: what can be copied, and what cannot.
    static func reading(
        _ found: [(id: ObjectID, start: UInt64)], of table: PackTable, in file: PackFile
    ) throws(GitError) -> (Pack, [ObjectID]) {
        var entries = found.map { Entry(id: $0.id, start: $0.start, end: file.end) }
        entries.sort { $0.start < $1.start }
        // An entry ends where the next one of all begins.
        table.forEachOffset { offset in
            let index = entries.partitionPoint { $0.start >= offset } - 1
            if index >= 0, offset < entries[index].end { entries[index].end = offset }
        }
        let known = Set(entries.map(\.id))
        let ids = Dictionary(entries.map { ($0.start, $0.id) }, uniquingKeysWith: { first, _ in first })
        var (copied, others): ([Entry], [ObjectID]) = ([], [])
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: PackEntryHead.longest, alignment: 8)
        defer { buffer.deallocate() }
        for var entry in entries {
            let count = Int(clamping: min(entry.end - entry.start, UInt64(PackEntryHead.longest)))
            let head = try file.read(at: entry.start, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
            if entry.readHead(UnsafeRawBufferPointer(rebasing: buffer[..<head]), among: ids, known) {
                copied.append(entry)
            } else {
                others.append(entry.id)
            }
        }
        return (Pack(file: file, entries: copied), others)
    }

    func forEachEntry(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { buffer.deallocate() }
        for entry in entries {
            try entry.newHead.withUnsafeBytes(body)
            var place = entry.start + UInt64(entry.head)
            while place < entry.end {
                let size = Int(clamping: min(entry.end - place, UInt64(buffer.count)))
                let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
                guard try file.read(at: place, into: piece) == size else {
                    throw GitError(
                        call: "git_odb_read", code: -1, message: "\(file.path) is shorter than its index says")
                }
                try body(UnsafeRawBufferPointer(piece))
                place += UInt64(size)
            }
        }
    }
}

extension Pack.Entry {
    /// Reads what stands before the compressed bytes: kind, size, and for a difference from another object, which.
    ///
    /// - Returns: whether the entry can be copied.
    fileprivate mutating func readHead(
        _ bytes: UnsafeRawBufferPointer, among ids: [UInt64: ObjectID], _ known: Set<ObjectID>
    ) -> Bool {
        guard let begin = PackEntryHead(bytes), let base = begin.base(in: bytes) else { return false }
        head = begin.length + base.length
        switch base {
        case .none:
            newHead = Array(bytes[..<head])
            return true
        case .distance(let distance, _):
            guard distance < start, let base = ids[start - distance] else { return false }
            // What it differs from stands elsewhere in the other pack: its name says where.
            newHead = [bytes[0] | 0x70] + bytes[1..<begin.length] + base.withBytes { Array($0) }
            return true
        case .name(let base, _):
            newHead = Array(bytes[..<head])
            return known.contains(base)
        }
    }
}

import Content
import Git
import Glibc

/// Rows of a record, sorted by path and never changed: a file that is mapped, or the newest rows out of a record's own
/// file. A look-up reads a few rows, so the cost of an update does not follow the size of the site.
///
/// Layout, little-endian: a count; `count + 1` offsets of 4 bytes, from the first row on; the rows. A row is a kind (1
/// byte), an object id (20; 32 of an object of Git LFS; 40 of a compressed file, of its original and its own), size, mtime and inode (8 each), and the path. The kind 0 says that the path
/// was removed.
final class RecordSegment: @unchecked Sendable {
    /// The file in `segments`; `nil` for rows that stand in the record's own file.
    let name: String?
    let count: Int
    private let bytes: UnsafeRawBufferPointer
    private let isMapped: Bool

    /// Rows that are in memory.
    convenience init(_ rows: [RecordRow]) {
        self.init(copying: Self.encode(rows))!
    }

    /// Rows out of a record's own file; `nil` when they are not whole.
    init?(copying encoded: some Collection<UInt8>) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(encoded.count, 1), alignment: 8)
        memory.copyBytes(from: encoded)
        bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<encoded.count])
        (name, isMapped) = (nil, false)
        guard let count = Self.count(bytes) else {
            memory.deallocate()
            return nil
        }
        self.count = count
    }

    /// A file of segments; `nil` when it is not there or not whole.
    ///
    /// - Throws: `DiskError` when it cannot be read now, which says nothing about what it holds.
    init?(mapping name: String, in folder: Directory) throws(DiskError) {
        let path = folder.pathOf(EntryName(name))
        let file = EntryName(name).withCString { openat(folder.descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw DiskError("open", path)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw DiskError("look at", path) }
        guard status.st_size > 0 else { return nil }
        guard let memory = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, file, 0), memory != MAP_FAILED else {
            throw DiskError("read", path)
        }
        bytes = UnsafeRawBufferPointer(start: memory, count: Int(status.st_size))
        (self.name, isMapped) = (name, true)
        guard let count = Self.count(bytes) else {
            munmap(memory, Int(status.st_size))
            return nil
        }
        self.count = count
    }

    deinit {
        if isMapped {
            munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        } else {
            bytes.deallocate()
        }
    }

    var encoded: UnsafeRawBufferPointer { bytes }

    static func encode(_ rows: [RecordRow]) -> [UInt8] {
        var offsets: [UInt8] = []
        var body: [UInt8] = []
        offsets.reserveCapacity(4 * (rows.count + 2))
        body.reserveCapacity(rows.reduce(0) { $0 + shortest + $1.path.bytes.count })
        append(UInt32(rows.count), to: &offsets)
        for row in rows {
            append(UInt32(body.count), to: &offsets)
            body.append(row.entry.map { code(of: $0) } ?? 0)
            switch row.entry?.content {
            case .blob(let id), .commit(let id): id.withBytes { body.append(contentsOf: $0) }
            case .lfs(let id): body += id.bytes
            case .compressed(let blob):
                for id in [blob.source, blob.bytes] { id.withBytes { body.append(contentsOf: $0) } }
            case nil: ObjectID.zero.withBytes { body.append(contentsOf: $0) }
            }
            append(row.entry?.size ?? 0, to: &body)
            append(row.entry?.mtime ?? 0, to: &body)
            append(row.entry?.inode ?? 0, to: &body)
            body += row.path.bytes
        }
        append(UInt32(body.count), to: &offsets)
        return offsets + body
    }

    /// A row by its number; `nil` where the bytes cannot be one.
    func row(_ index: Int) -> RecordRow? {
        guard let row = bytes(of: index), let path = path(of: index) else { return nil }
        guard row[row.startIndex] != 0 else { return RecordRow(path: TreePath(bytes: Array(path)), entry: nil) }
        return entry(row).map { RecordRow(path: TreePath(bytes: Array(path)), entry: $0) }
    }

    /// - Returns: `nil` when these rows do not know the path; a row without an entry when they know it as removed.
    func find(_ path: TreePath) -> RecordRow? {
        path.bytes.withUnsafeBytes { wanted in
            var low = 0
            var high = count
            while low < high {
                let middle = (low + high) / 2
                guard let found = self.path(of: middle) else { return nil }
                let order = Self.compare(found, wanted)
                if order == 0 { return row(middle) }
                if order < 0 { low = middle + 1 } else { high = middle }
            }
            return nil
        }
    }

    // MARK: bytes

    private static func idLength(ofKind kind: UInt8) -> Int {
        switch kind {
        case 6, 7: LFSObjectID.length
        case 8: 40
        default: 20
        }
    }

    /// What stands before the path.
    private static func fixed(ofKind kind: UInt8) -> Int { 1 + idLength(ofKind: kind) + 8 * 3 }

    private static let shortest = fixed(ofKind: 0)

    /// How many rows there are, when the whole is as long as it says.
    private static func count(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 8 else { return nil }
        let count = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        let start = 4 + 4 * (count + 1)
        guard start <= bytes.count else { return nil }
        let end = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start - 4, as: UInt32.self))
        return start + Int(end) == bytes.count ? count : nil
    }

    private func bytes(of index: Int) -> Slice<UnsafeRawBufferPointer>? {
        let start = 4 + 4 * (count + 1)
        let first = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 + 4 * index, as: UInt32.self))
        let last = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 + 4 * index, as: UInt32.self))
        guard first <= last, start + Int(last) <= bytes.count else { return nil }
        let row = bytes[(start + Int(first))..<(start + Int(last))]
        guard let kind = row.first, row.count > Self.fixed(ofKind: kind) else { return nil }
        return row
    }

    private func path(of index: Int) -> UnsafeRawBufferPointer? {
        bytes(of: index).map {
            UnsafeRawBufferPointer(rebasing: $0.dropFirst(Self.fixed(ofKind: $0[$0.startIndex])))
        }
    }

    private func entry(_ row: Slice<UnsafeRawBufferPointer>) -> RecordedEntry? {
        let row = UnsafeRawBufferPointer(rebasing: row)
        guard let kind = Self.kind(of: row[0]) else { return nil }
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: row.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        let end = 1 + Self.idLength(ofKind: row[0])
        let id = UnsafeRawBufferPointer(rebasing: row[1..<end])
        let content: ContentID =
            switch row[0] {
            case 4: .commit(ObjectID(bytes: id))
            case 6, 7: .lfs(LFSObjectID(bytes: id))
            case 8:
                .compressed(
                    CompressedBlob(
                        source: ObjectID(bytes: UnsafeRawBufferPointer(rebasing: id[..<20])),
                        bytes: ObjectID(bytes: UnsafeRawBufferPointer(rebasing: id[20...]))))
            default: .blob(ObjectID(bytes: id))
            }
        return RecordedEntry(
            kind: kind, content: content, size: Int64(bitPattern: word(end)), mtime: Int64(bitPattern: word(end + 8)),
            inode: word(end + 16))
    }

    /// memcmp(3), and the shorter of two equal beginnings first: the order of git's index.
    static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let common = min(left.count, right.count)
        let order = common == 0 ? 0 : Int(memcmp(left.baseAddress!, right.baseAddress!, common))
        return order != 0 ? order : left.count - right.count
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func code(of entry: RecordedEntry) -> UInt8 {
        switch entry.kind {
        case .file where entry.content.isCompressed: 8
        case .file(let executable): (entry.content.isLFS ? 6 : 1) + (executable ? 1 : 0)
        case .link: 3
        case .submodule: 4
        // Never written: what it holds is.
        case .folder: 5
        }
    }

    private static func kind(of code: UInt8) -> EntryKind? {
        switch code {
        case 1, 2, 6, 7, 8: .file(executable: code == 2 || code == 7)
        case 3: .link
        case 4: .submodule
        default: nil
        }
    }
}

/// A path with what was published there; without an entry it was removed.
struct RecordRow: Equatable {
    let path: TreePath
    let entry: RecordedEntry?
}

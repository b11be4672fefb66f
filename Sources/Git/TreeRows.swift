import CLibgit2
import Glibc

/// The rows of one tree object, read where its bytes are held: a folder of 20,000 entries is compared with another one
/// without a copy of either. Not to outlive its repository.
final class TreeRows {
    private let object: StoredObject
    private let bytes: UnsafeRawBufferPointer
    private let starts: [Start]
    /// Whether the rows stand in git's order, in which folders sort as if their names ended in `/`.
    private let isSorted: Bool

    /// Where a row begins, and where its name does.
    private struct Start {
        let row: Int32
        let name: Int32
    }

    var count: Int { starts.count }

    /// - Throws: `GitError` when the object cannot be read, is larger than it may be, is none that git would read, or lists a
    ///   name twice.
    init(of tree: ObjectID, in repository: borrowing Repository) throws(GitError) {
        object = try repository.read(tree, .tree)
        bytes = object.bytes
        guard bytes.count <= Int(Int32.max) else { throw .malformed("tree", "tree \(tree) has \(bytes.count) bytes") }
        var starts: [Start] = []
        starts.reserveCapacity(bytes.count / Self.usualRow)
        var (position, isRising, isSorted) = (0, true, true)
        var last: (name: Name, kind: EntryKind)?
        while position < bytes.count {
            guard let row = Self.row(in: bytes, at: position) else {
                throw .malformed("tree", "tree \(tree) has a row that is none, its \(starts.count + 1)th")
            }
            starts.append(Start(row: Int32(position), name: Int32(row.name)))
            let next = (
                name: Name(start: bytes.baseAddress! + row.name, count: row.end - 21 - row.name),
                kind: Self.kind(in: bytes, position..<row.name - 1)
            )
            if let last {
                if isRising, !Self.precedes(last.name, next.name) { isRising = false }
                if isSorted, Self.order(last.name, next.name, { last.kind }, { next.kind }) > 0 { isSorted = false }
            }
            (last, position) = (next, row.end)
        }
        (self.starts, self.isSorted) = (starts, isSorted)
        if !isRising { try checkNames(tree) }
    }

    /// Bytes of a row, about.
    private static let usualRow = 36

    /// A mode in octal digits, a space, a name that is not empty, a zero, twenty bytes (git's `decode_tree_entry`).
    private static func row(in bytes: UnsafeRawBufferPointer, at start: Int) -> (name: Int, end: Int)? {
        var position = start
        while position < bytes.count, (48...55).contains(bytes[position]) { position += 1 }
        guard (1...maxMode).contains(position - start), position < bytes.count, bytes[position] == 32 else {
            return nil
        }
        let name = position + 1
        guard name < bytes.count, let base = bytes.baseAddress, let end = memchr(base + name, 0, bytes.count - name)
        else { return nil }
        let zero = base.distance(to: UnsafeRawPointer(end))
        guard zero > name, bytes.count - zero > 20 else { return nil }
        return (name, zero + 21)
    }

    /// git writes at most six digits, and reads zeros before them.
    private static let maxMode = 10

    /// Names that rise byte by byte are different ones; where folders sort after files of a longer name, they need a look.
    private func checkNames(_ tree: ObjectID) throws(GitError) {
        let order = (0..<count).sorted { Self.precedes(name($0), name($1)) }
        for (left, right) in zip(order, order.dropFirst()) where name(left) == name(right) {
            throw .malformed("tree", "tree \(tree) lists the name \(self[left].name) twice")
        }
    }

    var entries: [TreeEntry] { (0..<count).map { self[$0] } }

    subscript(index: Int) -> TreeEntry {
        TreeEntry(name: EntryName(bytes: Array(name(index).bytes)), kind: kind(index), id: id(index))
    }

    func kind(_ index: Int) -> EntryKind {
        let start = starts[index]
        return Self.kind(in: bytes, Int(start.row)..<Int(start.name) - 1)
    }

    private static func kind(in bytes: UnsafeRawBufferPointer, _ digits: Range<Int>) -> EntryKind {
        var mode: UInt64 = 0
        for position in digits { mode = mode << 3 | UInt64(bytes[position] - 48) }
        return kind(of: mode)
    }

    func id(_ index: Int) -> ObjectID {
        let end = end(index)
        return ObjectID(bytes: UnsafeRawBufferPointer(rebasing: bytes[end - 20..<end]))
    }

    /// The entry of a name, whatever order the rows stand in.
    func find(_ name: EntryName) -> TreeEntry? {
        (0..<count).first { self.name($0).bytes.elementsEqual(name.bytes) }.map { self[$0] }
    }

    private func end(_ index: Int) -> Int { index + 1 < count ? Int(starts[index + 1].row) : bytes.count }

    private func name(_ index: Int) -> Name {
        let start = Int(starts[index].name)
        return Name(start: bytes.baseAddress! + start, count: end(index) - 21 - start)
    }

    /// A name where it lies.
    private struct Name {
        let start: UnsafeRawPointer
        let count: Int

        subscript(index: Int) -> UInt8 { start.load(fromByteOffset: index, as: UInt8.self) }
        var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
        static func == (left: Name, right: Name) -> Bool {
            left.count == right.count && memcmp(left.start, right.start, left.count) == 0
        }
    }

    /// Old repositories hold modes such as 100664: like git, only the type and the owner's execute bit count.
    private static func kind(of mode: UInt64) -> EntryKind {
        switch mode & 0o170000 {
        case 0o040000: .folder
        case 0o120000: .link
        case 0o160000: .submodule
        default: .file(executable: mode & 0o100 != 0)
        }
    }

    // MARK: order

    private static func precedes(_ left: Name, _ right: Name) -> Bool {
        let order = memcmp(left.start, right.start, min(left.count, right.count))
        return order < 0 || order == 0 && left.count < right.count
    }

    /// git's order of two rows (`base_name_compare`): the names, a folder's with a slash behind it.
    private static func order(
        _ left: Name, _ right: Name, _ leftKind: () -> EntryKind, _ rightKind: () -> EntryKind
    ) -> Int {
        let common = min(left.count, right.count)
        let order = memcmp(left.start, right.start, common)
        guard order == 0 else { return Int(order) }
        func next(_ name: Name, _ kind: () -> EntryKind) -> Int {
            name.count > common ? Int(name[common]) : kind() == .folder ? 0x2f : 0
        }
        return next(left, leftKind) - next(right, rightKind)
    }

    private func order(_ index: Int, _ other: TreeRows, _ otherIndex: Int) -> Int {
        Self.order(name(index), other.name(otherIndex), { kind(index) }, { other.kind(otherIndex) })
    }

    // MARK: two of them

    /// Calls back for each name at which two trees differ, in the order of the new one as far as both are in git's.
    static func compare(
        _ old: TreeRows?, _ new: TreeRows?, _ body: (_ old: TreeEntry?, _ new: TreeEntry?) throws -> Void
    ) rethrows {
        guard old?.isSorted ?? true, new?.isSorted ?? true else { return try compareUnsorted(old, new, body) }
        var (left, right) = (0, 0)
        let (leftCount, rightCount) = (old?.count ?? 0, new?.count ?? 0)
        while left < leftCount || right < rightCount {
            // Most rows of two trees are the same.
            if let old, let new, left < leftCount, right < rightCount, old.equals(left, new, right) {
                left += 1
                right += 1
                continue
            }
            let order =
                left == leftCount ? 1 : right == rightCount ? -1 : old!.order(left, new!, right)
            if order < 0 {
                try body(old![left], nil)
                left += 1
            } else if order > 0 {
                try body(nil, new![right])
                right += 1
            } else {
                if !old!.isSame(left, new!, right) { try body(old![left], new![right]) }
                left += 1
                right += 1
            }
        }
    }

    /// Whether two rows are the same, byte by byte.
    private func equals(_ index: Int, _ other: TreeRows, _ otherIndex: Int) -> Bool {
        let (start, otherStart) = (Int(starts[index].row), Int(other.starts[otherIndex].row))
        let length = end(index) - start
        return length == other.end(otherIndex) - otherStart
            && memcmp(bytes.baseAddress! + start, other.bytes.baseAddress! + otherStart, length) == 0
    }

    private func isSame(_ index: Int, _ other: TreeRows, _ otherIndex: Int) -> Bool {
        id(index) == other.id(otherIndex) && kind(index) == other.kind(otherIndex)
    }

    private static func compareUnsorted(
        _ old: TreeRows?, _ new: TreeRows?, _ body: (_ old: TreeEntry?, _ new: TreeEntry?) throws -> Void
    ) rethrows {
        var before: [EntryName: TreeEntry] = [:]
        for entry in old?.entries ?? [] { before[entry.name] = entry }
        for entry in new?.entries ?? [] {
            let other = before.removeValue(forKey: entry.name)
            if other != entry { try body(other, entry) }
        }
        for entry in before.values { try body(entry, nil) }
    }
}

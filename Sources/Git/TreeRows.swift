import CLibgit2
import Glibc

/// The rows of one tree object, read where libgit2 holds them: a folder of 20,000 entries is compared with another one
/// without a copy of either. Not to outlive its repository.
final class TreeRows {
    private let pointer: OpaquePointer
    let count: Int
    /// Whether the rows stand in git's order, in which folders sort as if their names ended in `/`.
    private let isSorted: Bool

    /// - Throws: `GitError` when the object cannot be read, or lists a name twice.
    init(of tree: ObjectID, in repository: OpaquePointer) throws(GitError) {
        var oid = tree.raw
        let pointer = try handle("git_tree_lookup") { git_tree_lookup(&$0, repository, &oid) }
        self.pointer = pointer
        count = git_tree_entrycount(pointer)
        var isRising = true
        var isSorted = true
        for index in 1..<max(count, 1) {
            guard let last = git_tree_entry_byindex(pointer, index - 1),
                let row = git_tree_entry_byindex(pointer, index)
            else { continue }
            if strcmp(git_tree_entry_name(last), git_tree_entry_name(row)) >= 0 { isRising = false }
            if git_tree_entry_cmp(last, row) > 0 { isSorted = false }
        }
        self.isSorted = isSorted
        if !isRising { try checkNames(tree) }
    }

    deinit { git_tree_free(pointer) }

    /// Names that rise byte by byte are different ones; where folders sort after files of a longer name, they need a look.
    private func checkNames(_ tree: ObjectID) throws(GitError) {
        var names: Set<EntryName> = []
        for entry in entries where !names.insert(entry.name).inserted {
            throw GitError(
                call: "tree", code: -1, message: "tree \(tree) lists the name \(entry.name) twice", isMalformed: true)
        }
    }

    var entries: [TreeEntry] { (0..<count).map { self[$0] } }

    subscript(index: Int) -> TreeEntry {
        TreeEntry(name: EntryName(bytes: Array(name(index))), kind: kind(index), id: id(index))
    }

    func kind(_ index: Int) -> EntryKind { Self.kind(of: git_tree_entry_filemode_raw(row(index))) }

    func id(_ index: Int) -> ObjectID { ObjectID(git_tree_entry_id(row(index)).pointee) }

    /// The entry of a name, whatever order the rows stand in.
    func find(_ name: EntryName) -> TreeEntry? {
        (0..<count).first { self.name($0).elementsEqual(name.bytes) }.map { self[$0] }
    }

    private func row(_ index: Int) -> OpaquePointer { git_tree_entry_byindex(pointer, index) }

    private func name(_ index: Int) -> UnsafeRawBufferPointer {
        let text = git_tree_entry_name(row(index))!
        return UnsafeRawBufferPointer(start: text, count: strlen(text))
    }

    /// Old repositories hold modes such as 100664: like git, only the type and the owner's execute bit count.
    private static func kind(of mode: git_filemode_t) -> EntryKind {
        switch mode.rawValue & 0o170000 {
        case 0o040000: .folder
        case 0o120000: .link
        case 0o160000: .submodule
        default: .file(executable: mode.rawValue & 0o100 != 0)
        }
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
            let order =
                left == leftCount
                ? 1 : right == rightCount ? -1 : Int(git_tree_entry_cmp(old!.row(left), new!.row(right)))
            if order < 0 {
                try body(old![left], nil)
                left += 1
            } else if order > 0 {
                try body(nil, new![right])
                right += 1
            } else {
                if !isSame(old!.row(left), new!.row(right)) { try body(old![left], new![right]) }
                left += 1
                right += 1
            }
        }
    }

    private static func isSame(_ old: OpaquePointer, _ new: OpaquePointer) -> Bool {
        git_oid_equal(git_tree_entry_id(old), git_tree_entry_id(new)) == 1
            && kind(of: git_tree_entry_filemode_raw(old)) == kind(of: git_tree_entry_filemode_raw(new))
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

import CLibgit2
import Glibc

/// What a tree entry is; git knows no others.
public enum EntryKind: Hashable, Sendable {
    /// A blob, mode 100644 or 100755.
    case file(executable: Bool)
    /// A blob whose bytes are a symbolic link's target, mode 120000.
    case link
    /// A tree, mode 040000.
    case folder
    /// A commit of another repository, mode 160000.
    case submodule
}

/// One row of a tree object.
public struct TreeEntry: Hashable, Sendable {
    /// Its name in the folder.
    public let name: EntryName
    /// What it is.
    public let kind: EntryKind
    /// The object that it names.
    public let id: ObjectID

    /// Makes an entry of its three parts.
    public init(name: EntryName, kind: EntryKind, id: ObjectID) {
        self.name = name
        self.kind = kind
        self.id = id
    }
}

extension Repository {
    /// The rows of a tree object, in git's order (folders sort as if their names ended in `/`).
    ///
    /// Names come as they are stored: a hostile tree may hold `..`, `.git` or a `/`. A name that stands twice is an error.
    public borrowing func entries(of tree: ObjectID) throws(GitError) -> [TreeEntry] {
        var oid = tree.raw
        let pointer = pointer
        let object = try handle("git_tree_lookup") { git_tree_lookup(&$0, pointer, &oid) }
        defer { git_tree_free(object) }
        let count = git_tree_entrycount(object)
        var entries: [TreeEntry] = []
        entries.reserveCapacity(count)
        var isRising = true
        for index in 0..<count {
            guard let row = git_tree_entry_byindex(object, index), let text = git_tree_entry_name(row),
                let id = git_tree_entry_id(row)
            else { continue }
            let name = EntryName(bytes: Array(UnsafeRawBufferPointer(start: text, count: strlen(text))))
            if let last = entries.last, !last.name.bytes.lexicographicallyPrecedes(name.bytes) { isRising = false }
            entries.append(
                TreeEntry(
                    name: name, kind: Self.kind(of: git_tree_entry_filemode_raw(row)),
                    id: ObjectID(id.pointee)))
        }
        if !isRising { try checkNames(of: entries, in: tree) }
        return entries
    }

    /// Names that rise byte by byte are different ones; where folders sort after files of a longer name, they need a look.
    private borrowing func checkNames(of entries: [TreeEntry], in tree: ObjectID) throws(GitError) {
        var names: Set<EntryName> = []
        for entry in entries where !names.insert(entry.name).inserted {
            throw GitError(
                call: "tree", code: -1, message: "tree \(tree) lists the name \(entry.name) twice", isMalformed: true)
        }
    }

    /// One entry below a tree; `nil` when nothing stands there.
    public borrowing func entry(at path: TreePath, in tree: ObjectID) throws(GitError) -> TreeEntry? {
        guard path != .root, let folder = try subtree(of: tree, at: path.parent) else { return nil }
        let name = path.name
        return try entries(of: folder).first { $0.name == name }
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

    /// The tree at a path below another; `nil` when nothing stands there or it is not a folder.
    public borrowing func subtree(of tree: ObjectID, at path: TreePath) throws(GitError) -> ObjectID? {
        var tree = tree
        for name in path.components {
            guard let entry = try entries(of: tree).first(where: { $0.name == name }), entry.kind == .folder else {
                return nil
            }
            tree = entry.id
        }
        return tree
    }
}

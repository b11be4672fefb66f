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
        try TreeRows(of: tree, in: pointer).entries
    }

    /// One entry below a tree; `nil` when nothing stands there.
    public borrowing func entry(at path: TreePath, in tree: ObjectID) throws(GitError) -> TreeEntry? {
        guard path != .root, let folder = try subtree(of: tree, at: path.parent) else { return nil }
        return try TreeRows(of: folder, in: pointer).find(path.name)
    }

    /// The tree at a path below another; `nil` when nothing stands there or it is not a folder.
    public borrowing func subtree(of tree: ObjectID, at path: TreePath) throws(GitError) -> ObjectID? {
        var tree = tree
        for name in path.components {
            guard let entry = try TreeRows(of: tree, in: pointer).find(name), entry.kind == .folder else {
                return nil
            }
            tree = entry.id
        }
        return tree
    }
}

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

public import Git

/// What the bytes of a leaf are: where it is equal, they are.
public enum ContentID: Hashable, Sendable {
    /// Those of a git blob; for a symbolic link they are its target.
    case blob(ObjectID)
    /// None: a submodule is an empty folder, and this is the commit that it names.
    case commit(ObjectID)

    /// Of what a tree's entry names; a folder has no content of its own.
    init(of entry: TreeEntry) {
        self = entry.kind == .submodule ? .commit(entry.id) : .blob(entry.id)
    }

    /// The object that git's trees name.
    public var object: ObjectID {
        switch self {
        case .blob(let id), .commit(let id): id
        }
    }

    /// 64 bits of it: as good as random, and the same wherever the same bytes are.
    var prefix: UInt64 { object.prefix }
}

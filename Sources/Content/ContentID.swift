public import Git

/// What the bytes of a leaf are: where it is equal, they are.
public enum ContentID: Hashable, Sendable {
    /// Those of a git blob; for a symbolic link they are its target.
    case blob(ObjectID)
    /// Those of an object of Git LFS, which a blob names.
    case lfs(LFSObjectID)
    /// Those of a blob, compressed.
    case compressed(CompressedBlob)
    /// None: a submodule is an empty folder, and this is the commit that it names.
    case commit(ObjectID)

    /// 64 bits of it: as good as random, and the same wherever the same bytes are.
    var prefix: UInt64 {
        switch self {
        case .blob(let id), .commit(let id): id.prefix
        case .lfs(let id): id.prefix
        case .compressed(let blob): blob.bytes.prefix
        }
    }

    /// Whether git's own objects do not hold it.
    public var isLFS: Bool { if case .lfs = self { true } else { false } }

    /// Whether no repository has it: it is made of what one has.
    public var isCompressed: Bool { if case .compressed = self { true } else { false } }
}

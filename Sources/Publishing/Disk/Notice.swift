public import Git

/// Something that a person should know about a publish that worked.
public enum Notice: Sendable, Equatable, CustomStringConvertible {
    /// A file that is not ours stood in the way; this is where it is now.
    case movedToLostAndFound(path: String, to: String)
    /// A file that is not ours stands in the way and nobody here can read it: it could not be kept.
    case notKept(path: TreePath, cause: String)
    /// What is of no use any more cannot be removed, and takes space.
    case notRemoved(path: String, cause: String)
    /// So many visits of lost+found were older than they are kept.
    case lostExpired(count: Int)
    /// A symbolic link was left out.
    case skippedLink(path: TreePath, target: String)
    /// A submodule is published as an empty folder.
    case submodule(path: TreePath)
    /// So many are, because they were before there was a setting for it.
    case submodulesStayEmpty(count: Int)
    /// So many files stay pointers, because they were before there was a setting for it.
    case pointersStay(count: Int)
    /// So many files are pointers to Git LFS, published as they are.
    case lfsPointers(count: Int)
    /// Compressed files would be more than may be published: from now on there are none.
    case notCompressed(reason: String)
    /// A published file was not what was published; it is made anew.
    case drifted(path: TreePath)
    /// What a process that was killed had left behind was finished or removed.
    case recovered(String)

    /// Its kind, where there may be one for every file.
    public var kind: String? {
        switch self {
        case .movedToLostAndFound: "files moved out of the way"
        case .notKept: "files that could not be kept"
        case .skippedLink: "symbolic links left out"
        case .submodule: "submodules published as empty folders"
        case .drifted: "files made anew"
        case .notRemoved: "trees that cannot be removed"
        case .lfsPointers, .pointersStay, .recovered, .lostExpired, .submodulesStayEmpty, .notCompressed: nil
        }
    }

    /// One sentence.
    public var description: String {
        switch self {
        case .movedToLostAndFound(let path, let to):
            "not published by sidekick, moved out of the way: \(path) is now \(to)"
        case .notKept(let path, let cause): "changed by somebody else, and not kept: \(path): \(cause)"
        case .notRemoved(let path, let cause): "of no use any more, and cannot be removed: \(path): \(cause)"
        case .lostExpired(let count): "removed from lost+found, older than SIDEKICK_KEEP_LOST: \(count) folders"
        case .skippedLink(let path, let target):
            "symbolic link left out, it leads outside the tree: \(path) -> \(EntryName(target))"
        case .submodule(let path): "submodule published as an empty folder: \(path)"
        case .submodulesStayEmpty(let count):
            "submodules stay empty folders, as they were before this version, until SIDEKICK_SUBMODULES is set: \(count)"
        case .pointersStay(let count):
            "Git LFS pointers stay as they are, as before this version, until SIDEKICK_LFS is set: \(count)"
        case .lfsPointers(let count): "Git LFS pointers published as they are, not the files they stand for: \(count)"
        case .notCompressed(let reason): "published without compressed files until the next start, with them \(reason)"
        case .drifted(let path): "changed by somebody else, made anew: \(path)"
        case .recovered(let what): what
        }
    }
}

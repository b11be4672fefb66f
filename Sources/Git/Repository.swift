import CLibgit2
import Glibc

/// A repository that is open. Closed when it goes out of scope; never kept across passes, because an open one keeps the
/// descriptors of packs that were deleted since.
public struct Repository: ~Copyable {
    let pointer: OpaquePointer

    /// Opens a repository, bare or not, by its own path or that of its work tree; parents are not searched.
    public init(opening path: String) throws(GitError) {
        try Library.started.get()
        let flags = GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue
        pointer = try handle("git_repository_open_ext") { git_repository_open_ext(&$0, path, flags, nil) }
    }

    /// Makes a bare repository; the folder may exist and be empty. Harmless on a repository.
    public init(creatingBare path: String) throws(GitError) {
        try Library.started.get()
        pointer = try handle("git_repository_init") { git_repository_init(&$0, path, 1) }
    }

    deinit { git_repository_free(pointer) }

    /// The folder that holds objects and references, ending in `/`.
    public var path: String { git_repository_path(pointer).map { String(cString: $0) } ?? "" }

    /// The folder that holds what several work trees share, ending in `/`.
    public var commonPath: String { git_repository_commondir(pointer).map { String(cString: $0) } ?? path }
}

/// Where a repository is on disk, as a value that may cross executors. Opening it is cheap: per pass, not for ever.
public struct Store: Sendable, Hashable {
    /// The bare repository's folder.
    public let path: String

    /// Names a store; nothing is opened.
    public init(path: String) { self.path = path }

    /// Whether anything is there.
    public var exists: Bool { access(path, F_OK) == 0 }

    /// Opens it, making it when it is not there.
    public func open() throws(GitError) -> Repository {
        do {
            return try Repository(opening: path)
        } catch  where error.isNotFound {
            return try Repository(creatingBare: path)
        }
    }
}

import CLibgit2
import Glibc
import Platform

/// A repository that is open. Closed when it goes out of scope; never kept across passes, because an open one keeps the
/// descriptors of packs that were deleted since.
public struct Repository: ~Copyable {
    // Set once, in one place: a value that is changed or taken over in `init` is freed twice by the optimizer of
    // Swift 6.3.
    let pointer: OpaquePointer
    /// Whether loose objects are left unread.
    private let readsPacksAlone: Bool
    /// What reads small objects of its packs.
    let packed: PackedObjects

    private init(owning pointer: OpaquePointer, readsPacksAlone: Bool) {
        self.pointer = pointer
        self.readsPacksAlone = readsPacksAlone
        packed = PackedObjects(of: Self.commonPath(of: pointer) + "objects")
    }

    /// Opens a repository, bare or not, by its own path or that of its work tree; parents are not searched.
    public init(opening path: String) throws(GitError) {
        self.init(owning: try Self.openPointer(path), readsPacksAlone: false)
    }

    private static func openPointer(_ path: String) throws(GitError) -> OpaquePointer {
        try Library.started.get()
        let flags = GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue
        do throws(GitError) {
            let pointer = try handle("git_repository_open_ext") { git_repository_open_ext(&$0, path, flags, nil) }
            guard let unsupported = RepositoryFormat.unsupported(in: pointer) else { return pointer }
            git_repository_free(pointer)
            throw GitError(unsupported)
        } catch {
            throw RepositoryFormat.unsupported(by: error, at: path).map { GitError($0) } ?? error
        }
    }

    /// Makes a bare repository; the folder may exist and be empty. Harmless on a repository.
    public init(creatingBare path: String) throws(GitError) {
        try Library.started.get()
        let pointer = try handle("git_repository_init") { git_repository_init(&$0, path, 1) }
        self.init(owning: pointer, readsPacksAlone: false)
    }

    deinit { git_repository_free(pointer) }

    /// What opens it once more, on another thread.
    public var again: @Sendable () throws -> Repository {
        let (path, readsPacksAlone) = (path, readsPacksAlone)
        return { try readsPacksAlone ? Repository(openingPacksOf: path) : Repository(opening: path) }
    }

    /// The folder that holds objects and references, ending in `/`.
    public var path: String { Self.path(of: pointer) }

    private static func path(of pointer: OpaquePointer) -> String {
        git_repository_path(pointer).map { String(cString: $0) } ?? ""
    }

    /// The folder that holds what several work trees share, ending in `/`.
    public var commonPath: String { Self.commonPath(of: pointer) }

    private static func commonPath(of pointer: OpaquePointer) -> String {
        git_repository_commondir(pointer).map { String(cString: $0) } ?? path(of: pointer)
    }
}

/// Where a repository is on disk, as a value that may cross executors. Opening it is cheap: per pass, not for ever.
public struct Store: Sendable, Hashable {
    /// The bare repository's folder.
    public let path: String

    /// Names a store; nothing is opened.
    public init(path: String) { self.path = path }

    /// Whether anything is there.
    public var exists: Bool { access(path, F_OK) == 0 }

    /// Opens it, making what is missing of one that was begun (`openToFill`).
    public func open() throws(GitError) -> Repository {
        DiskThread.check()
        do {
            return try Repository(openingPacksOf: path)
        } catch  where error.isNotFound && hasMark {
            _ = try Repository(creatingBare: path)
            return try Repository(openingPacksOf: path)
        }
    }
}

extension Repository {
    /// Opens a repository in which everything is in packs, as all that we write is. A loose object is not looked for:
    /// nobody of ours made it, and one that is cut short keeps libgit2 1.5.1 inflating nothing for ever.
    fileprivate init(openingPacksOf path: String) throws(GitError) {
        let pointer = try Self.openPointer(path)
        do throws(GitError) {
            try Self.readPacksAlone(in: pointer)
        } catch {
            git_repository_free(pointer)
            throw error
        }
        self.init(owning: pointer, readsPacksAlone: true)
    }

    /// Puts an object database of packs in place of the one that has loose objects too.
    private static func readPacksAlone(in repository: OpaquePointer) throws(GitError) {
        let objects = path(of: repository) + "objects"
        // Where it is gone there is nothing to lose; where something else is in its place, no pack can be written.
        if !isTaken(objects + "/pack"), mkdir(objects + "/pack", 0o755) != 0 {
            let reason = String(cString: strerror(errno))
            throw GitError(call: "store", code: -1, message: "\(objects)/pack: \(reason)", isLocalDisk: true)
        }
        guard isFolder(objects + "/pack") else {
            throw GitError(call: "store", code: -1, message: "\(objects)/pack is not a folder")
        }
        let database = try handle("git_odb_new") { git_odb_new(&$0) }
        defer { git_odb_free(database) }
        var backend: UnsafeMutablePointer<git_odb_backend>?
        try check("git_odb_backend_pack") { git_odb_backend_pack(&backend, objects) }
        try check("git_odb_add_backend") { git_odb_add_backend(database, backend, 1) }
        try check("git_repository_set_odb") { git_repository_set_odb(repository, database) }
    }
}

/// Whether a folder is there, or a link that leads to one.
func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Whether anything at all is there, a link that leads nowhere too.
func isTaken(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
}

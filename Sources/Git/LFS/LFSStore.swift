import CLinux
import FoundationEssentials
public import Glibc
import Platform
import Synchronization

/// An object that is not here, or not with its own bytes.
public struct LFSObjectMissing: Error, Sendable {
    /// Which.
    public let object: LFSObject
}

/// Objects of Git LFS on this machine, each a file under its name. It stands beside the trees, so that a tree can have a file as a
/// hard link: a file of mode 0600 was never lent, and is what was checked when it came; one that was is looked at again.
public final class LFSStore: Sendable {
    /// Its folder.
    public let path: String
    /// One thread at a time gives a file its mode and time.
    private let lending = Mutex(())

    static let ownMode: mode_t = 0o600

    /// Names a store; nothing is made.
    public init(path: String) { self.path = path }

    /// Whether anything was ever brought.
    public var exists: Bool { isFolder(path) }

    private var incoming: String { path + "/incoming" }

    func file(of id: LFSObjectID) -> String { folder(of: id) + "/\(id)" }
    private func folder(of id: LFSObjectID) -> String { path + "/" + id.description.prefix(2) }
    /// Where it is while it comes.
    func incomingFile(of id: LFSObjectID) -> String { incoming + "/\(id)" }

    static func failure(_ path: String, _ code: Int32 = errno) -> GitError {
        GitError(call: "lfs", code: -1, message: "\(path): \(String(cString: strerror(code)))", isLocalDisk: true)
    }

    /// Whether an object is here, by its size.
    public func contains(_ object: LFSObject) -> Bool {
        object == .empty || Self.fileStatus(file(of: object.id)).map { Int64($0.st_size) == object.size } ?? false
    }

    /// Bytes of an object that came before its transfer broke off.
    public func bytesHere(of object: LFSObject) -> Int64 {
        Self.fileStatus(incomingFile(of: object.id)).map { min(Int64($0.st_size), object.size) } ?? 0
    }

    private static func fileStatus(_ path: String) -> stat? {
        DiskThread.check()
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? status : nil
    }

    /// Lends the bytes of an object, piece by piece; the last of them says whether they were its own.
    ///
    /// - Throws: `LFSObjectMissing`, of which nothing that was lent may be used; what `body` throws.
    public func read(_ object: LFSObject, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard object != .empty else { return }
        let path = file(of: object.id)
        var hasher = LFSHasher()
        var count: Int64 = 0
        let isThere: Bool
        do {
            isThere = try Self.forEachPiece(of: path) { piece in
                hasher.update(piece)
                count += Int64(piece.count)
                try body(piece)
            }
        } catch is Unreadable {
            throw forget(object)
        }
        guard isThere, count == object.size, hasher.id() == object.id else { throw forget(object) }
    }

    /// What is damaged is brought again.
    private func forget(_ object: LFSObject) -> LFSObjectMissing {
        remove(file(of: object.id))
        return LFSObjectMissing(object: object)
    }

    /// Removes what stands there, whatever it is.
    func remove(_ path: String) {
        if unlink(path) != 0, errno != ENOENT { try? FileManager.default.removeItem(atPath: path) }
    }

    /// A file that the disk does not give any more, or something else in its place.
    struct Unreadable: Error {
        let failure: GitError
    }

    private static func readingFailed(_ path: String, _ code: Int32) -> any Error {
        let failure = failure(path, code)
        return [EIO, EBADMSG, EUCLEAN, ELOOP, EISDIR, ENXIO].contains(code) ? Unreadable(failure: failure) : failure
    }

    /// - Returns: whether it was there.
    /// - Throws: `Unreadable`, `GitError`, what `body` throws.
    static func forEachPiece(of path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return false }
            throw readingFailed(path, errno)
        }
        defer { close(file) }
        let code = try Platform.forEachPiece(of: file, body)
        guard code == 0 else { throw readingFailed(path, code) }
        return true
    }

    /// Lends the file of an object for a hard link, with a mode and a time that nobody else needs to be another one.
    ///
    /// - Parameters:
    ///   - mtime: seconds since 1970.
    ///   - durable: whether the mode and the time are on the disk when this returns.
    ///   - link: links a path; false where that cannot be.
    /// - Returns: false when a copy has to do.
    /// - Throws: `LFSObjectMissing`, `GitError`, what `link` throws.
    public func lend(
        _ object: LFSObject, mode: mode_t, mtime: Int64, durable: Bool, _ link: (String) throws -> Bool
    ) throws -> Bool {
        try lending.withLock { _ in
            let path = file(of: object.id)
            guard let status = Self.fileStatus(path), Int64(status.st_size) == object.size else { throw forget(object) }
            let permissions = status.st_mode & 0o7777
            if permissions != Self.ownMode { try read(object) { _ in } }
            let fits =
                permissions == mode && status.st_mtim.tv_nsec == 0 && Int64(status.st_mtim.tv_sec) == mtime
            if !fits {
                guard status.st_nlink == 1 else { return false }
                try Self.complete(path, mode: mode, mtime: mtime, durable: durable)
            }
            return try link(path)
        }
    }

    private static func complete(_ path: String, mode: mode_t, mtime: Int64, durable: Bool) throws {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        let time = timespec(tv_sec: Int(mtime), tv_nsec: 0)
        // The mode first: it says that the file is no longer ours alone.
        guard fchmod(file, mode) == 0, futimens(file, [time, time]) == 0, !durable || fsync(file) == 0 else {
            throw failure(path)
        }
    }

    // MARK: what comes

    /// Makes the folder for what comes.
    func prepare() throws {
        for path in [path, incoming] where mkdir(path, 0o700) != 0 && errno != EEXIST { throw Self.failure(path) }
    }

    /// For more files than this the file system is synced instead.
    private static let maxSingleSyncs = 8

    /// Makes objects part of the store that came whole, on the disk before they have their names.
    public func admit(_ objects: [LFSObject]) throws {
        guard !objects.isEmpty else { return }
        let isSingle = objects.count <= Self.maxSingleSyncs
        for path in isSingle ? objects.map({ incomingFile(of: $0.id) }) : [incoming] {
            let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            guard file >= 0 else { throw Self.failure(path) }
            defer { close(file) }
            guard (isSingle ? fsync(file) : syncfs(file)) == 0 else { throw Self.failure(path) }
        }
        for object in objects {
            let folder = folder(of: object.id)
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Self.failure(folder) }
            let (source, target) = (incomingFile(of: object.id), file(of: object.id))
            if rename(source, target) == 0 { continue }
            if errno == EISDIR { remove(target) }
            guard rename(source, target) == 0 else { throw Self.failure(target) }
        }
    }

    /// Removes what came in part: nobody wants the rest of it.
    public func removeIncoming() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: incoming)) ?? [] {
            unlink(incoming + "/" + name)
        }
    }

    /// Removes all objects but some.
    ///
    /// - Returns: how many are left; `nil` when it was stopped.
    public func prune(keeping kept: Set<LFSObjectID>, isStopped: () -> Bool) throws -> Int? {
        var left = 0
        for folder in try FileManager.default.contentsOfDirectory(atPath: path) where folder.utf8.count == 2 {
            for name in try FileManager.default.contentsOfDirectory(atPath: path + "/" + folder) {
                if isStopped() { return nil }
                if let id = LFSObjectID(hex: name.utf8), kept.contains(id) {
                    left += 1
                } else {
                    unlink("\(path)/\(folder)/\(name)")
                }
            }
            // Where there is none any more.
            rmdir(path + "/" + folder)
        }
        return left
    }
}

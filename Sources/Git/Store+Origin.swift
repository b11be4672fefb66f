import FoundationEssentials
import Glibc
import Platform

extension Store {
    /// Names the folder as ours.
    private var markFile: String { path + "/sidekick-origin" }

    /// Opens the store to be filled, and makes it where there is none: whole and on the disk before it has its name, so that a power cut
    /// leaves none or one.
    public func openToFill() throws -> Repository {
        if isTaken(path) { try prepare() } else { try make() }
        // A lock that something left since the start would fail every pass until the next one.
        sweep()
        return try open()
    }

    /// Whether what stands there is a store of ours, or nothing that could be missed: a folder called `git` in a state folder
    /// that somebody shares with other things may be anybody's.
    public var hasOwnershipMark: Bool {
        guard isFolder(path) else { return true }
        let signs = [markFile, compactedFile, path + "/refs/sidekick"]
        return signs.contains { isTaken($0) } || (try? FileManager.default.contentsOfDirectory(atPath: path)) == []
    }

    /// Names what stands there as ours, where it is the caller's to say so: of a store that somebody has removed in part, while
    /// something was written into it, the name may be missing.
    public func claim() throws {
        if isFolder(path) { try prepare() }
    }

    /// Whether it was begun by us: then what is missing of it may be made.
    var hasMark: Bool { isTaken(markFile) }

    private func make() throws {
        let fresh = beside(".new")
        try fresh.removeOurs()
        try fresh.prepare()
        _ = try fresh.open()
        try fresh.sync()
        guard rename(fresh.path, path) == 0 else { throw GitError.disk("rename", fresh.path) }
        let end = path.lastIndex(of: "/") ?? path.startIndex
        try sync(end == path.startIndex ? "/" : String(path[..<end]))
    }

    /// The folder with its mark: what is missing of one that was begun is made when it is opened.
    func prepare() throws {
        do {
            try prepareFiles()
        } catch let error as GitError {
            throw error
        } catch {
            throw GitError(call: "store", code: -1, message: "\(path): \(error.fileFailure)", isLocalDisk: true)
        }
    }

    private func prepareFiles() throws {
        let manager = FileManager.default
        if isTaken(path), !isFolder(path) { try removeOurs() }
        if !isTaken(path) {
            try manager.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        }
        if !hasMark {
            // Not by a temporary file: a folder that a kill leaves is empty, and may be anybody's, or has the mark.
            try "sidekick".write(toFile: markFile, atomically: false, encoding: .utf8)
            // Before anything else is in it, also on a disk that keeps no order: without the mark it would be somebody's.
            for path in [markFile, path] { try sync(path) }
        }
    }

    /// A file or a folder of it is on the disk when this returns.
    func sync(_ path: String) throws(GitError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .disk("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .disk("sync", path) }
    }

    /// Removes it, unless it is somebody else's.
    func removeOurs() throws {
        guard isTaken(path) else { return }
        if isFolder(path), access(path, R_OK | X_OK) != 0 {
            let reason = String(cString: strerror(errno))
            throw GitError(call: "store", code: -1, message: "\(path): \(reason)", isLocalDisk: true)
        }
        guard hasOwnershipMark else {
            throw GitError(
                call: "store", code: -1, message: "\(path) is not a store of sidekick's, and is left alone",
                isLocalDisk: true)
        }
        do {
            // What tells that it is ours goes last: of what a kill leaves, the next start must know whose it is.
            let signs = ["refs", "sidekick-compacted", "sidekick-origin"]
            let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
            let names = isFolder(path) && !isLink ? try FileManager.default.contentsOfDirectory(atPath: path) : []
            for name in names.filter({ !signs.contains($0) }) + signs.filter({ names.contains($0) }) {
                try FileManager.default.removeItem(atPath: path + "/" + name)
            }
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw GitError(call: "store", code: -1, message: "\(path): \(error.fileFailure)", isLocalDisk: true)
        }
    }

    /// Moves a damaged store out of the way, in place of one that was moved before; the next fetch makes a new one.
    ///
    /// - Returns: where it is now; `nil` when there was none.
    @discardableResult
    public func setAside() throws -> String? {
        guard isTaken(path) else { return nil }
        let aside = beside(".damaged")
        try aside.removeOurs()
        try FileManager.default.moveItem(atPath: path, toPath: aside.path)
        return aside.path
    }

    /// A store beside this one: its path and the suffix, with a number where that is somebody else's.
    func beside(_ suffix: String) -> Store {
        let names = [suffix] + (2...9).map { suffix + String($0) }
        let stores = names.map { Store(path: path + $0) }
        return stores.first { !isTaken($0.path) || isFolder($0.path) && $0.hasOwnershipMark } ?? stores[0]
    }
}

import CLinux
import Git
import Glibc
import Platform

/// A folder that is held open. Everything below it is reached through its descriptor, one name at a time and never
/// through a symbolic link, so nothing that is put in the way can lead a write elsewhere.
final class Directory: Sendable {
    let descriptor: Int32
    private let place: Place

    private enum Place {
        case path(String)
        case below(Directory, EntryName)
    }

    /// For messages only, and so put together only for them.
    var path: String {
        switch place {
        case .path(let path): path
        case .below(let folder, let name): folder.pathOf(name)
        }
    }

    private init(descriptor: Int32, place: Place) {
        DiskThread.check()
        self.descriptor = descriptor
        self.place = place
    }

    deinit { close(descriptor) }

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

    /// Opens by path; links on the way are followed, a link at its end is not.
    convenience init(opening path: String) throws(DiskError) {
        let descriptor = open(path, Self.flags)
        guard descriptor >= 0 else { throw DiskError("open the folder", path) }
        self.init(descriptor: descriptor, place: .path(path))
    }

    /// Makes a folder and the ones above it where they are missing, and opens it. The names of new ones are on the disk then:
    /// what is synced in a folder is lost with the folder.
    convenience init(making path: String, mode: mode_t = 0o755) throws(DiskError) {
        if try FileStatus.of(path) == nil {
            let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
            if !parent.isEmpty, try FileStatus.of(parent) == nil { _ = try Directory(making: parent) }
            let made = mkdir(path, mode) == 0
            guard made || errno == EEXIST else { throw DiskError("make the folder", path) }
            // Whatever the umask says. A folder of somebody else's is only used.
            if made {
                chmod(path, mode)
                // One that may be written but not read cannot be opened.
                if let above = try? Directory(opening: parent.isEmpty ? "/" : parent) { try above.sync() }
            }
        }
        try self.init(opening: path)
    }

    func pathOf(_ name: EntryName) -> String { path + "/" + name.description }

    /// A descriptor of a folder in this one; `nil` when nothing or something else is there.
    func folder(_ name: EntryName) throws(DiskError) -> Directory? {
        let child = name.withCString { openat(descriptor, $0, Self.flags) }
        guard child >= 0 else {
            if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return nil }
            throw DiskError("open the folder", pathOf(name))
        }
        return Directory(descriptor: child, place: .below(self, name))
    }

    /// Makes a folder, or takes the one that is there.
    func makeFolder(_ name: EntryName, mode: mode_t = 0o755) throws(DiskError) -> Directory {
        try makingFolder(name, mode: mode).folder
    }

    /// Makes a folder, or takes the one that is there, and says which.
    func makingFolder(
        _ name: EntryName, mode: mode_t = 0o755
    ) throws(DiskError) -> (folder: Directory, isNew: Bool) {
        let made = name.withCString { mkdirat(descriptor, $0, mode) } == 0
        guard made || errno == EEXIST else { throw DiskError("make the folder", pathOf(name)) }
        guard let folder = try folder(name) else {
            throw DiskError("open the folder", pathOf(name), code: ENOTDIR)
        }
        if made { try folder.setMode(mode) }
        return (folder, made)
    }

    /// Gives it a mode, whatever the umask, the folder above (setgid) and its default ACL made of it.
    func setMode(_ mode: mode_t) throws(DiskError) {
        guard try status.permissions != mode else { return }
        guard fchmod(descriptor, mode) == 0 else { throw DiskError("set the mode of", path) }
    }

    func status(_ name: EntryName) throws(DiskError) -> FileStatus? {
        var status = stat()
        guard name.withCString({ fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return nil }
            throw DiskError("look at", pathOf(name))
        }
        return FileStatus(status)
    }

    var status: FileStatus {
        get throws(DiskError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw DiskError("look at", path) }
            return FileStatus(status)
        }
    }

    /// Renames over whatever stands at the new name: one step, durable after `sync`.
    func rename(_ name: EntryName, to folder: Directory, as newName: EntryName) throws(DiskError) {
        let code = name.withCString { old in
            newName.withCString { new in renameat(descriptor, old, folder.descriptor, new) }
        }
        guard code == 0 else { throw DiskError("rename to", folder.pathOf(newName)) }
    }

    /// Swaps two names in one step (renameat2(2), RENAME_EXCHANGE).
    func exchange(_ name: EntryName, with folder: Directory, _ other: EntryName) throws(DiskError) {
        let code = name.withCString { old in
            other.withCString { new in
                renameat2(descriptor, old, folder.descriptor, new, sidekick_rename_exchange)
            }
        }
        guard code == 0 else { throw DiskError("exchange with", folder.pathOf(other)) }
    }

    /// A second name for a file. `false` when the file system or the file does not allow one more.
    func link(_ name: EntryName, to folder: Directory, as newName: EntryName) throws(DiskError) -> Bool {
        let code = name.withCString { old in
            newName.withCString { new in linkat(descriptor, old, folder.descriptor, new, 0) }
        }
        guard code != 0 else { return true }
        if Self.linkRefusals.contains(errno) { return false }
        throw DiskError("link", folder.pathOf(newName))
    }

    /// A second name for a file of ours at a path. `false` when the file system or the file does not allow one more.
    func link(file path: String, as newName: EntryName) throws(DiskError) -> Bool {
        guard newName.withCString({ linkat(AT_FDCWD, path, descriptor, $0, 0) }) != 0 else { return true }
        if Self.linkRefusals.contains(errno) { return false }
        throw DiskError("link", pathOf(newName))
    }

    private static let linkRefusals = [EPERM, EXDEV, EMLINK, EOPNOTSUPP, ENOSYS, EACCES]

    func makeLink(_ name: EntryName, target: [UInt8]) throws(DiskError) {
        let code = EntryName(bytes: target).withCString { text in
            name.withCString { symlinkat(text, descriptor, $0) }
        }
        guard code == 0 else { throw DiskError("make the symbolic link", pathOf(name)) }
    }

    /// The target of a symbolic link; `nil` when there is none by that name.
    func readLink(_ name: EntryName) throws(DiskError) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = name.withCString { readlinkat(descriptor, $0, &buffer, buffer.count) }
        guard count >= 0 else {
            if errno == ENOENT || errno == EINVAL { return nil }
            throw DiskError("read the link", pathOf(name))
        }
        return Array(buffer[..<count])
    }

    /// Removes a file or a link; `false` when it was gone already.
    @discardableResult
    func remove(_ name: EntryName) throws(DiskError) -> Bool {
        guard name.withCString({ unlinkat(descriptor, $0, 0) }) == 0 else {
            if errno == ENOENT { return false }
            throw DiskError("remove", pathOf(name))
        }
        return true
    }

    /// Removes a folder when it is empty; `false` when it is not, or was gone already.
    @discardableResult
    func removeFolder(_ name: EntryName) throws(DiskError) -> Bool {
        guard name.withCString({ unlinkat(descriptor, $0, AT_REMOVEDIR) }) == 0 else {
            if [ENOENT, ENOTEMPTY, EEXIST, ENOTDIR, EBUSY].contains(errno) { return false }
            throw DiskError("remove the folder", pathOf(name))
        }
        return true
    }

    /// The names in this folder, in no order, without `.` and `..`.
    func names() throws(DiskError) -> [EntryName] {
        // readdir moves the descriptor's offset and closedir closes it: it gets a descriptor of its own.
        let own = openat(descriptor, ".", Self.flags)
        guard own >= 0 else { throw DiskError("read the folder", path) }
        guard let stream = fdopendir(own) else {
            let error = DiskError("read the folder", path)
            close(own)
            throw error
        }
        defer { closedir(stream) }
        var names: [EntryName] = []
        while true {
            // readdir(3): an error is told from the end by errno alone.
            errno = 0
            guard let row = readdir(stream) else {
                guard errno == 0 else { throw DiskError("read the folder", path) }
                break
            }
            let name = withUnsafeBytes(of: &row.pointee.d_name) { bytes in
                EntryName(bytes: Array(bytes.prefix { $0 != 0 }))
            }
            if name.bytes != [46] && name.bytes != [46, 46] { names.append(name) }
        }
        return names
    }

    func sync() throws(DiskError) {
        // Some file systems (CIFS, FUSE) have no fsync for folders.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw DiskError("sync", path) }
    }

    /// Writes everything dirty on this file system to the disk.
    func syncFileSystem() throws(DiskError) {
        guard syncfs(descriptor) == 0 else { throw DiskError("sync the file system of", path) }
    }
}

extension EntryName {
    /// Lends the name as C wants it.
    func withCString<Value>(_ body: (UnsafePointer<CChar>) throws -> Value) rethrows -> Value {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
            buffer[bytes.count] = 0
            return try body(UnsafePointer(buffer.baseAddress!))
        }
    }
}

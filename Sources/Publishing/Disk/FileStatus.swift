import Glibc
import Platform

/// What `lstat` tells of a name.
struct FileStatus: Equatable {
    enum Kind { case file, folder, link, other }

    let kind: Kind
    let size: Int64
    /// Nanoseconds since 1970.
    let mtime: Int64
    let inode: UInt64
    let device: UInt64
    /// The permission bits.
    let permissions: UInt32
    let owner: UInt32
    let group: UInt32

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        size = Int64(status.st_size)
        mtime = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        inode = UInt64(status.st_ino)
        device = UInt64(status.st_dev)
        permissions = status.st_mode & 0o7777
        owner = status.st_uid
        group = status.st_gid
    }

    /// By path, symbolic links followed; `nil` when nothing is there, or a link that leads nowhere.
    static func following(_ path: String) throws(DiskError) -> FileStatus? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return nil }
            throw DiskError("look at", path)
        }
        return FileStatus(status)
    }

    /// By path, a symbolic link not followed; `nil` when nothing is there.
    static func of(_ path: String) throws(DiskError) -> FileStatus? {
        DiskThread.check()
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw DiskError("look at", path)
        }
        return FileStatus(status)
    }
}

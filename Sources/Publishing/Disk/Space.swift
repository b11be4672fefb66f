import Git
import Glibc
import Platform

/// What a new tree takes at least, and what a file system has.
struct Space: Equatable {
    var bytes: Int64
    /// `nil` where the file system does not count them (statvfs(3): `f_files` is 0).
    var inodes: Int64?

    /// What is free for this process.
    static func free(in folder: Directory) throws(DiskError) -> (space: Space, block: Int64) {
        var status = statvfs()
        guard fstatvfs(folder.descriptor, &status) == 0 else { throw DiskError("look at", folder.path) }
        let isRoot = geteuid() == 0
        let block = Int64(max(status.f_frsize, 1))
        // A network file system may say anything: what does not fit is plenty.
        let blocks = Int64(clamping: isRoot ? status.f_bfree : status.f_bavail)
        let (bytes, overflow) = blocks.multipliedReportingOverflow(by: block)
        let inodes = Int64(clamping: isRoot ? status.f_ffree : status.f_favail)
        return (Space(bytes: overflow ? .max : bytes, inodes: status.f_files == 0 ? nil : inodes), block)
    }

    static let nothing = Space(bytes: 0, inodes: 0)

    /// Refuses to begin what cannot end: nothing has been written then.
    ///
    /// - Parameter sparing: what making it gives back before it takes anything, or need not take; asked only when there is
    ///   too little, because it looks at the disk.
    func check(in folder: Directory, sparing: () throws -> Space = { .nothing }) throws {
        let (free, _) = try Self.free(in: folder)
        if fits(in: free) { return }
        let spared = try sparing()
        let bytes = bytes - spared.bytes
        if bytes > free.bytes {
            throw PublishingError.spaceMissing(
                path: folder.path, needed: "\(bytes) bytes", free: "\(free.bytes)",
                missing: "\(bytes - free.bytes) bytes")
        }
        if let inodes, let have = free.inodes, inodes - (spared.inodes ?? 0) > have {
            let need = inodes - (spared.inodes ?? 0)
            throw PublishingError.spaceMissing(
                path: folder.path, needed: "\(need) inodes", free: "\(have)", missing: "\(need - have) inodes")
        }
    }

    private func fits(in free: Space) -> Bool {
        guard bytes <= free.bytes else { return false }
        guard let inodes, let have = free.inodes else { return true }
        return inodes <= have
    }

    func adding(_ other: Space) -> Space {
        var sum = self
        sum.bytes.addClamped(other.bytes)
        sum.inodes = inodes.map { $0 + (other.inodes ?? 0) }
        return sum
    }

    /// Adds a file of so many bytes.
    mutating func add(_ size: Int64, block: Int64) {
        // What no disk has room for is more than there is, whatever it is.
        bytes.addClamped(min(size, .max / 2) / block * block + (size % block == 0 ? 0 : block))
        inodes = inodes.map { $0 + 1 }
    }
}

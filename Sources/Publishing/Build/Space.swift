import Git
import Glibc

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

    /// Refuses to begin what cannot end: nothing has been written then.
    func check(in folder: Directory) throws {
        let (free, _) = try Self.free(in: folder)
        if bytes > free.bytes {
            throw PublishingError.spaceMissing(
                path: folder.path, needed: "\(bytes) bytes", free: "\(free.bytes)",
                missing: "\(bytes - free.bytes) bytes")
        }
        if let need = inodes, let have = free.inodes, need > have {
            throw PublishingError.spaceMissing(
                path: folder.path, needed: "\(need) inodes", free: "\(have)", missing: "\(need - have) inodes")
        }
    }
}

extension TreePlan {
    /// What making it takes at least: blocks and inodes of the files that are not there yet, and of the folders of a tree
    /// that is made from nothing. Nothing is added for safety: a plan that fits must not be refused.
    ///
    /// - Parameter have: records of trees whose files can be linked.
    func space(besides have: [TreeRecord], isWhole: Bool, in folder: Directory) throws -> Space {
        let (_, block) = try Space.free(in: folder)
        var need = Space(bytes: 0, inodes: 0)
        var inodes: Int64 = 0
        for change in changes {
            guard let new = change.new else { continue }
            if have.contains(where: { $0[change.path]?.id == new.id && $0[change.path]?.kind == new.kind }) { continue }
            inodes += 1
            need.bytes += ((sizes[change.path] ?? 0) + block - 1) / block * block
        }
        if isWhole {
            // Their blocks are not counted: not every file system gives a folder one.
            inodes += Int64(folders.count)
        }
        need.inodes = inodes
        return need
    }
}

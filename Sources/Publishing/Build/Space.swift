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

    /// Adds a file of so many bytes.
    mutating func add(_ size: Int64, block: Int64) {
        bytes += (size + block - 1) / block * block
        inodes = inodes.map { $0 + 1 }
    }
}

extension TreePlan {
    /// What making it takes at least: blocks and inodes of what is not there yet, and of the folders of a tree that is made
    /// from nothing. Nothing is added for safety: a plan that fits must not be refused.
    ///
    /// - Parameter has: whether a leaf is linked or stays.
    func space(isWhole: Bool, in folder: Directory, has: (TreePath, TreeEntry) -> Bool) throws -> Space {
        let (_, block) = try Space.free(in: folder)
        var need = Space.nothing
        for leaf in leaves where !has(leaf.path, leaf.entry) { need.add(sizes[leaf.path] ?? 0, block: block) }
        // Their blocks are not counted: not every file system gives a folder one.
        if isWhole { need.inodes = need.inodes.map { $0 + Int64(folders.count) } }
        return need
    }

    /// Of that, what stands at its path already, whoever put it there.
    func standing(at path: String, in folder: Directory, has: (TreePath, TreeEntry) -> Bool) throws -> Space {
        guard try FileStatus.of(path)?.kind == .folder else { return .nothing }
        let (_, block) = try Space.free(in: folder)
        let folders = FolderCursor(root: try Directory(opening: path))
        var found = Space.nothing
        for leaf in leaves where !has(leaf.path, leaf.entry) {
            guard case .file(let executable) = leaf.entry.kind, let folder = try folders.folder(at: leaf.path.parent),
                let status = try folder.status(leaf.entry.name), status.kind == .file,
                status.permissions == BlobWriter.mode(executable), let size = sizes[leaf.path],
                try folder.hasBlob(leaf.entry.id, size: size, at: leaf.entry.name)
            else { continue }
            found.add(status.size, block: block)
        }
        return found
    }

    /// What leaves a tree before anything comes: files that no other tree shares.
    func freed(in root: Directory, keeps: (TreePath, TreeEntry) -> Bool) throws -> Space {
        let folders = FolderCursor(root: root)
        var freed = Space.nothing
        for change in changes {
            if let new = change.new, keeps(change.path, new) { continue }
            guard let blocks = try folders.folder(at: change.path.parent)?.unsharedBlocks(of: change.path.name) else {
                continue
            }
            freed.add(blocks * 512, block: 512)
        }
        return freed
    }
}

extension TreeRecord {
    /// Whether a leaf is there with the bytes and the mode that it is to have.
    func holds(_ entry: TreeEntry, at path: TreePath) -> Bool {
        guard let row = self[path] else { return false }
        return row.id == entry.id && row.kind == entry.kind
    }
}

extension Directory {
    /// The blocks of 512 bytes of a file that has no other name; `nil` for anything else.
    fileprivate func unsharedBlocks(of name: EntryName) throws(DiskError) -> Int64? {
        var status = stat()
        guard name.withCString({ fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return nil }
            throw DiskError("look at", pathOf(name))
        }
        return status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1 ? Int64(status.st_blocks) : nil
    }
}

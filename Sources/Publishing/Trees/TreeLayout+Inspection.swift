import Git
import Glibc

/// A tree that is complete may be looked at by a program of somebody else's before it is shown. It must not be changed: its
/// files may be the very ones that are visible, and what is published is the commit. Times of change (`st_ctime`) tell,
/// which nobody can set.
extension TreeLayout {
    /// Names the tree that is being looked at; what changed in it later than this file was changed by who looks.
    private static let mark = EntryName("inspection")

    /// What somebody who looked at a tree has done.
    struct Meddling: Equatable {
        /// Paths of the tree that were changed, and folders of it in which something was added or removed; below these nothing.
        var changed: [TreePath] = []
        /// Paths of the visible tree that were changed with them.
        var drifted: [TreePath] = []
    }

    /// - Returns: the folder of the tree.
    func beginInspection(of tree: String) throws -> String {
        let home = try Directory(opening: destination.home)
        try home.replace(Self.mark, with: Array(tree.utf8), mode: 0o600)
        guard let began = try home.changeTime(of: Self.mark) else { throw DiskError("look at", home.pathOf(Self.mark)) }
        // The clock of a file system goes in steps of some milliseconds, on some of two seconds.
        for _ in 0..<600 {
            utimensat(home.descriptor, ".", nil, 0)
            if try home.changeTime > began { break }
            usleep(5_000)
        }
        return destination.home + "/trees/" + tree
    }

    /// Ends an inspection, also that of a process that was killed. A tree that was changed is removed.
    func endInspection() throws -> Meddling {
        guard try FileStatus.of(destination.home) != nil else { return Meddling() }
        let home = try Directory(opening: destination.home)
        guard let bytes = try home.read(Self.mark), let began = try home.changeTime(of: Self.mark) else {
            return Meddling()
        }
        let name = String(decoding: bytes, as: UTF8.self)
        var meddling = Meddling()
        if let folder = try pool.trees.folder(EntryName(name)), try liveName() != name {
            try Self.findChanges(after: began, in: folder, path: .root, &meddling.changed)
            if !meddling.changed.isEmpty {
                meddling.drifted = try visibleChanges(after: began)
                try pool.discard(name)
            }
        }
        try home.remove(Self.mark)
        return meddling
    }

    private static func findChanges(
        after time: Int64, in folder: Directory, path: TreePath, _ changed: inout [TreePath]
    ) throws {
        // What was put into it may be anything, and of any depth.
        if try folder.changeTime > time { return changed.append(path) }
        for name in try folder.names() {
            let path = path.appending(name)
            if let child = try folder.folder(name) {
                try findChanges(after: time, in: child, path: path, &changed)
            } else if try folder.changeTime(of: name) ?? .max > time {
                changed.append(path)
            }
        }
    }

    /// A name more or less for a file is a change of it as well, but none of what it shows.
    private func visibleChanges(after time: Int64) throws -> [TreePath] {
        guard let visible = try visible() else { return [] }
        let folders = FolderCursor(root: visible.folder)
        var changed: [TreePath] = []
        try visible.record.rows.forEach { path, row in
            let folder = try folders.folder(at: path.parent)
            let status = try folder?.status(path.name)
            guard let folder, let status, row.matches(status) else {
                return changed.append(path)
            }
            guard row.isFile, try folder.changeTime(of: path.name) ?? .max > time else { return }
            if try !folder.hasBlob(row.id, size: row.size, at: path.name) { changed.append(path) }
        }
        return changed
    }
}

extension TreePool {
    /// Removes a tree with all that is in it, whoever put it there.
    fileprivate func discard(_ tree: String) throws {
        let (trees, old) = (try trees, EntryName(".new-\(tree)"))
        try trees.removeTree(old)
        try trees.rename(EntryName(tree), to: trees, as: old)
        try removeRecord(of: tree)
        try trees.removeTree(old)
    }
}

extension Directory {
    /// When anything of what has that name was changed last, its mode, its links and its times too, in nanoseconds since 1970;
    /// `nil` when nothing has it.
    fileprivate func changeTime(of name: EntryName) throws(DiskError) -> Int64? {
        var status = stat()
        guard name.withCString({ fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return nil }
            throw DiskError("look at", pathOf(name))
        }
        return Self.changeTime(status)
    }

    /// The same of the folder itself.
    fileprivate var changeTime: Int64 {
        get throws(DiskError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw DiskError("look at", path) }
            return Self.changeTime(status)
        }
    }

    private static func changeTime(_ status: stat) -> Int64 {
        Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }
}

import Git
import Glibc

/// A tree that is complete may be looked at by a program of somebody else's before it is shown. It must not be changed: its
/// files may be the very ones that are visible, and what is published is the commit. Times of change (`st_ctime`) tell,
/// which nobody can set.
extension TreeLayout {
    /// Names the tree that is being looked at; what changed in it later than this file was changed by who looks.
    private static let mark = EntryName("inspection")

    func beginInspection(of staged: StagedTree) throws -> String? {
        guard case .tree(let tree) = staged.place else { return nil }
        let home = try Directory(opening: destination.volumeFolder)
        try home.replace(Self.mark, with: Array(tree.utf8), mode: 0o600)
        guard let began = try home.changeTime(of: Self.mark) else { throw DiskError("look at", home.pathOf(Self.mark)) }
        // The clock of a file system goes in steps of some milliseconds, on some of two seconds.
        for _ in 0..<600 {
            utimensat(home.descriptor, ".", nil, 0)
            if try home.changeTime(of: EntryName(".")) ?? .max > began { break }
            usleep(5_000)
        }
        return destination.volumeFolder + "/trees/" + tree
    }

    /// A tree that was changed leaves the pool.
    func endInspection(keeping lostAndFound: LostAndFound, noting: ([TreePath]) throws -> Void) throws -> [TreePath] {
        guard try FileStatus.of(destination.volumeFolder) != nil else { return [] }
        let home = try Directory(opening: destination.volumeFolder)
        guard let bytes = try home.read(Self.mark), let began = try home.changeTime(of: Self.mark) else {
            return []
        }
        let name = String(decoding: bytes, as: UTF8.self)
        var changed: [TreePath] = []
        if try liveName() != name {
            Self.findChanges(after: began, of: EntryName(name), in: try pool.trees, path: .root, &changed)
            if !changed.isEmpty {
                try noting(visibleChanges(after: began))
                try pool.discard(name, changedAfter: began, keeping: lostAndFound)
            }
        }
        try home.remove(Self.mark)
        return changed
    }

    /// What cannot be looked at any more was changed, too.
    private static func findChanges(
        after time: Int64, of name: EntryName, in parent: Directory, path: TreePath, _ changed: inout [TreePath]
    ) {
        do {
            guard let last = try parent.changeTime(of: name) else { return }
            // What was put into a folder may be anything, and of any depth.
            if last > time { return changed.append(path) }
            guard let folder = try parent.folder(name) else { return }
            for child in try folder.names() {
                findChanges(after: time, of: child, in: folder, path: path.appending(child), &changed)
            }
        } catch {
            changed.append(path)
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
                if row.kind != .link || row.isMadeLink { changed.append(path) }
                return
            }
            guard row.isFile, try folder.changeTime(of: path.name) ?? .max > time else { return }
            if try !folder.has(row.content, size: row.size, at: path.name) { changed.append(path) }
        }
        return changed
    }
}

extension TreePool {
    /// Removes a tree in which somebody has changed something since a time. Whatever he made of it: it leaves the pool, and
    /// what of it cannot be removed now is left to the upkeep. Older files that are not ours are kept.
    fileprivate func discard(_ tree: String, changedAfter time: Int64, keeping lostAndFound: LostAndFound) throws {
        let (trees, old) = (try trees, EntryName(".old-\(tree)"))
        try? trees.removeTree(old)
        try trees.rename(EntryName(tree), to: trees, as: old)
        try? trees.removeChanges(after: time, of: old)
        _ = try? retire(tree, keeping: lostAndFound) { false }
    }
}

extension Directory {
    /// Removes what was changed after a time, but for folders, which are only made usable.
    fileprivate func removeChanges(after time: Int64, of name: EntryName) throws {
        guard let status = try status(name), let last = try changeTime(of: name) else { return }
        guard status.kind == .folder else {
            if last > time { try remove(name) }
            return
        }
        if status.permissions & 0o700 != 0o700 { _ = name.withCString { fchmodat(descriptor, $0, 0o755, 0) } }
        guard let folder = try folder(name) else { return }
        for child in try folder.names() { try folder.removeChanges(after: time, of: child) }
    }

    /// When anything of what has that name was changed last, its mode, its links and its times too, in nanoseconds since 1970;
    /// `nil` when nothing has it.
    fileprivate func changeTime(of name: EntryName) throws(DiskError) -> Int64? {
        var status = stat()
        guard name.withCString({ fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return nil }
            throw DiskError("look at", pathOf(name))
        }
        return Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }
}

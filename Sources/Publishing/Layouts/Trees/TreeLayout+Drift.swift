import Git

extension TreeLayout {
    /// Takes note that somebody changed published files. The bytes that are there are kept; no tree that may share them goes
    /// on to show them: each makes them anew when it is brought forward.
    func markDirty(_ paths: [TreePath], of visible: VisibleTree?, keeping lostAndFound: LostAndFound) throws {
        guard !paths.isEmpty, let visible else { return }
        let folders = FolderCursor(root: visible.folder)
        for path in paths {
            guard let folder = try folders.folder(at: path.parent), let kind = try folder.status(path.name)?.kind else {
                continue
            }
            // A folder that somebody put there is kept when the tree is brought forward or retired.
            if kind == .folder { continue }
            if let row = visible.record[path], kind == .file, try folder.has(row.content, size: row.size, at: path.name)
            {
                continue
            }
            do {
                try lostAndFound.keepCopy(of: path.name, in: folder, path: path)
            } catch let error as DiskError where error.isUnreadable {
                // It must not stop every update.
                lostAndFound.cannotKeep(path, error)
            }
        }
        for spare in try pool.spares(besides: nil) where spare.name != visible.name {
            try pool.noteDirty(Set(spare.dirty).union(paths), of: spare.name)
        }
        if let live = visible.name { try pool.noteDirty(Set(pool.dirtyPaths(of: live)).union(paths), of: live) }
    }
}

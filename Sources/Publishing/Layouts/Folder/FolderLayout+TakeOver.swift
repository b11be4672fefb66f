import Git

extension FolderLayout {
    /// Takes over what another layout shows: the live tree itself becomes the folder, by one exchange where DESTINATION is a
    /// link to it. Its record is there before, so that the folder is known whenever it is one.
    func takeOver(from pool: TreePool) throws {
        switch try destination.kind(in: pool) {
        case .exchangedTree(let tree):
            try adopt(tree, root: try FileStatus.of(destination.path)?.inode, from: pool)
            try pool.removeRecord(of: tree)
        case .linkedTree(let tree):
            guard !destination.isMountPoint else { return }
            let (trees, name) = (try pool.trees, EntryName(tree))
            try adopt(tree, root: try trees.status(name)?.inode, from: pool)
            let parent = try Directory(opening: destination.parent)
            try trees.exchange(name, with: parent, destination.name)
            try parent.sync()
            try trees.remove(name)
            try pool.removeRecord(of: tree)
        case .nothing, .publishedFolder, .lostTree, .foreignLink, .foreignFolder, .file: break
        }
    }

    private func adopt(_ tree: String, root: UInt64?, from pool: TreePool) throws {
        guard var record = try pool.record(of: tree), let root else { return }
        record.layout = .folder
        record.root = root
        let home = try Directory(opening: destination.volumeFolder)
        try RecordShelf(home: destination.volumeFolder).write(record, as: Self.recordName, in: home)
    }
}

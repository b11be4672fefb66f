import Git

/// How what was made gets onto the disk before it is shown.
struct Durability {
    /// Up to so many new files and folders are synced one by one, which waits for nobody else's files; more of them by one
    /// sync of the file system. A thousand one by one take 240 ms on a fast disk and 25 ms at once, and on one whose journal
    /// takes 5 ms for each, as many seconds.
    static let maxSingleSyncs = 100

    /// One sync of the file system instead of one for each folder.
    let everything: Bool

    /// - Parameters:
    ///   - folders: the folders with a new entry; those above them may be new too.
    ///   - isStopped: asked often.
    /// - Returns: whether it was not stopped.
    @discardableResult
    func sync(_ root: Directory, folders: Set<TreePath>, isStopped: () -> Bool = { false }) throws -> Bool {
        guard !everything else {
            try root.syncFileSystem()
            return true
        }
        var all = folders.union([.root])
        for folder in folders {
            var path = folder
            while path != .root {
                path = path.parent
                all.insert(path)
            }
        }
        let cursor = FolderCursor(root: root)
        for path in all.sorted() {
            guard !isStopped() else { return false }
            try cursor.folder(at: path)?.sync()
        }
        return true
    }
}

import Git

/// Walks to folders below a root, keeping the way open: consecutive paths in the order of a tree open each folder once.
final class FolderCursor {
    private let root: Directory
    private var way: [(name: EntryName, folder: Directory)] = []

    init(root: Directory) { self.root = root }

    /// The folder at a path; `nil` when it, or one above it, is not there or is not a folder.
    func folder(at path: TreePath) throws(DiskError) -> Directory? {
        try walk(to: path) { folder, name throws(DiskError) in try folder.folder(name) }
    }

    /// The folder at a path, made with the ones above it where they are missing.
    ///
    /// - Parameter made: told of each folder that this opened and that may be new.
    func makeFolder(at path: TreePath, opened: (Directory) -> Void = { _ in }) throws(DiskError) -> Directory {
        let folder = try walk(to: path) { folder, name throws(DiskError) in
            let folder = try folder.makeFolder(name)
            opened(folder)
            return folder
        }
        // `makeFolder` never answers nil, so neither does the walk.
        return folder ?? root
    }

    /// Forgets what is held open, because folders were replaced.
    func rewind() { way.removeAll() }

    private func walk(
        to path: TreePath, _ step: (Directory, EntryName) throws(DiskError) -> Directory?
    ) throws(DiskError) -> Directory? {
        let names = path.components
        var depth = 0
        while depth < min(way.count, names.count), way[depth].name == names[depth] { depth += 1 }
        way.removeSubrange(depth...)
        while depth < names.count {
            guard let next = try step(way.last?.folder ?? root, names[depth]) else { return nil }
            way.append((names[depth], next))
            depth += 1
        }
        return way.last?.folder ?? root
    }
}

import Git

/// Walks to folders below a root, keeping the way open: consecutive paths in the order of a tree open each folder once.
final class FolderCursor {
    private let root: Directory
    private var way: [(name: EntryName, folder: Directory)] = []
    /// The last folder that was not there: nor is what is below it.
    private var missing: [EntryName]?

    init(root: Directory) { self.root = root }

    /// The folder at a path; `nil` when it, or one above it, is not there or is not a folder.
    func folder(at path: TreePath) throws(DiskError) -> Directory? {
        let names = path.components
        if let missing, names.starts(with: missing) { return nil }
        return try walk(to: names) { folder, name throws(DiskError) in try folder.folder(name) }
    }

    /// The folder at a path, made with the ones above it where they are missing.
    ///
    /// - Parameter made: told of each that was not there.
    func makeFolder(at path: TreePath, made: (TreePath) -> Void = { _ in }) throws(DiskError) -> Directory {
        missing = nil
        let folder = try walk(to: path.components) { folder, name throws(DiskError) in
            let (folder, isNew) = try folder.makingFolder(name)
            if isNew { made((way.map(\.name) + [name]).reduce(TreePath.root) { $0.appending($1) }) }
            return folder
        }
        // `makeFolder` never answers nil, so neither does the walk.
        return folder ?? root
    }

    /// Forgets what is held open, because folders were replaced.
    func rewind() {
        way.removeAll()
        missing = nil
    }

    private func walk(
        to names: [EntryName], _ step: (Directory, EntryName) throws(DiskError) -> Directory?
    ) throws(DiskError) -> Directory? {
        var depth = 0
        while depth < min(way.count, names.count), way[depth].name == names[depth] { depth += 1 }
        way.removeSubrange(depth...)
        while depth < names.count {
            guard let next = try step(way.last?.folder ?? root, names[depth]) else {
                missing = Array(names[...depth])
                return nil
            }
            way.append((names[depth], next))
            depth += 1
        }
        return way.last?.folder ?? root
    }
}

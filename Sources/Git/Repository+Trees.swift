import Platform

extension Repository {
    /// The rows of a tree object, in git's order (folders sort as if their names ended in `/`).
    ///
    /// Names come as they are stored: a hostile tree may hold `..`, `.git` or a `/`. A name that stands twice is an error.
    public borrowing func entries(of tree: ObjectID) throws(GitError) -> [TreeEntry] {
        try TreeRows(of: tree, in: self).entries
    }

    /// What stands at each of these paths below a tree; one with nothing is left out. Each folder on the way is read once,
    /// however many of the paths are in it.
    public borrowing func entries(
        at paths: some Sequence<TreePath>, in tree: ObjectID
    ) throws(GitError) -> [TreePath: TreeEntry] {
        var found: [TreePath: TreeEntry] = [:]
        var waiting = [(tree: tree, start: 0, paths: paths.filter { $0 != .root })]
        while let (tree, start, paths) = waiting.popLast() {
            let wanted = Dictionary(grouping: paths) { path in
                EntryName(bytes: Array(path.bytes[start...].prefix { $0 != UInt8(ascii: "/") }))
            }
            guard !wanted.isEmpty else { continue }
            let rows = try TreeRows(of: tree, in: self)
            for index in 0..<rows.count {
                let entry = rows[index]
                guard let paths = wanted[entry.name] else { continue }
                let end = start + entry.name.bytes.count
                let (here, below) = paths.partitioned { $0.bytes.count == end }
                for path in here { found[path] = entry }
                if entry.kind == .folder { waiting.append((entry.id, end + 1, below)) }
            }
        }
        return found
    }

    /// The tree at a path below another; `nil` when nothing stands there or it is not a folder.
    public borrowing func subtree(of tree: ObjectID, at path: TreePath) throws(GitError) -> ObjectID? {
        var tree = tree
        for name in path.components {
            guard let entry = try TreeRows(of: tree, in: self).find(name), entry.kind == .folder else {
                return nil
            }
            tree = entry.id
        }
        return tree
    }

    /// What stands on the way to a path and is no folder; `nil` when all are, or when nothing stands there.
    public borrowing func obstacle(
        in tree: ObjectID, to path: TreePath
    ) throws(GitError) -> (path: TreePath, entry: TreeEntry)? {
        var (tree, way) = (tree, TreePath.root)
        for name in path.components {
            way = way.appending(name)
            guard let entry = try TreeRows(of: tree, in: self).find(name) else { return nil }
            guard entry.kind == .folder else { return (way, entry) }
            tree = entry.id
        }
        return nil
    }

    /// Whether a commit's tree names submodules at all.
    public borrowing func hasModuleList(in tree: ObjectID) throws(GitError) -> Bool {
        if case .file? = try TreeRows(of: tree, in: self).find(ModuleList.name)?.kind { true } else { false }
    }
}

import CLibgit2

extension Repository {
    /// Makes sure that a tree can be published: every tree below it can be read, and every blob is here. Bytes are not
    /// read, and a submodule's commit is another repository's.
    ///
    /// - Parameters:
    ///   - known: a tree that is taken to be whole; what equals it at the same path is not looked at, so that the cost
    ///     follows the change.
    ///   - depth: the deepest nesting that is followed; beyond it `TreeTooLarge` is thrown.
    ///   - folders: how many different folders are read at most; beyond it `TreeTooLarge` is thrown.
    /// - Throws: `GitError` with `isNotFound` for the first object that is missing, its path in the message.
    public borrowing func proveConnected(
        tree: ObjectID, given known: ObjectID?, depth: Int, folders: Int
    ) throws {
        let database = try database()
        defer { git_odb_free(database) }
        // Once and not at each miss: looking for new packs reads their folder.
        try check("git_odb_refresh") { git_odb_refresh(database) }
        var waiting = [Folder(tree: tree, known: known, path: .root, depth: depth)]
        var proven: Set<ObjectID> = []
        while let folder = waiting.popLast() {
            try Task.checkCancellation()
            guard folder.tree != folder.known, !proven.contains(folder.tree) else { continue }
            guard folder.depth >= 0 else { throw TreeTooLarge(path: folder.path, bound: .depth) }
            guard proven.count < folders else { throw TreeTooLarge(path: folder.path, bound: .folders) }
            proven.insert(folder.tree)
            // What is known only saves work: where it cannot be read itself, all is looked at.
            let before = folder.known.flatMap { try? entries(of: $0) } ?? []
            let known = Dictionary(before.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            for entry in try rows(of: folder) where known[entry.name] != entry {
                let path = folder.path.appending(entry.name)
                switch entry.kind {
                case .submodule: continue
                case .folder:
                    let old = known[entry.name].flatMap { $0.kind == .folder ? $0.id : nil }
                    waiting.append(Folder(tree: entry.id, known: old, path: path, depth: folder.depth - 1))
                case .file, .link:
                    var oid = entry.id.raw
                    guard git_odb_exists_ext(database, &oid, GIT_ODB_LOOKUP_NO_REFRESH.rawValue) == 1 else {
                        throw Self.missing("blob", entry.id, at: path)
                    }
                }
            }
        }
    }

    private struct Folder {
        let tree: ObjectID
        let known: ObjectID?
        let path: TreePath
        let depth: Int
    }

    private borrowing func rows(of folder: Folder) throws(GitError) -> [TreeEntry] {
        do {
            return try entries(of: folder.tree)
        } catch  where error.isNotFound {
            throw Self.missing("tree", folder.tree, at: folder.path)
        }
    }

    private static func missing(_ kind: String, _ id: ObjectID, at path: TreePath) -> GitError {
        let place = path == .root ? "the root" : path.description
        return GitError(
            call: "connectivity", code: GIT_ENOTFOUND.rawValue, message: "\(kind) \(id) of \(place) is missing")
    }
}

extension Repository {
    /// Whether a commit is here with all that its tree names, so that nobody need be asked for it. One that is too large or is
    /// malformed would be so again.
    public borrowing func holdsAll(of commit: ObjectID) throws -> Bool {
        guard try contains(commit), !isOutlined(commit) else { return false }
        do {
            let known = fetchedCommit().flatMap { try? self.commit($0).tree }
            let tree = try self.commit(commit).tree
            try proveConnected(tree: tree, given: known, depth: 1_000, folders: ObjectLimits.current.objects)
            return true
        } catch let error as GitError where error.isDamage {
            return false
        } catch is GitError {
            return true
        } catch is TreeTooLarge {
            return true
        }
    }
}

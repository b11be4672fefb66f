extension Repository {
    /// Reads a commit; of one of which a folder is here alone, the tree is that of its outline.
    ///
    /// - Throws: `GitError`, with `isMalformed` for one that `git checkout` does not take either.
    public borrowing func commit(_ id: ObjectID) throws(GitError) -> Commit {
        let commit = try ownCommit(id)
        return outline(of: id).map { commit.with(tree: $0.tree) } ?? commit
    }

    /// Reads a commit as it is, whatever of it is here.
    borrowing func ownCommit(_ id: ObjectID) throws(GitError) -> Commit {
        try withObject(id, .commit) { bytes throws(GitError) in try Commit(id, reading: bytes) }
    }

    /// The commit behind an object: itself, or what an annotated tag leads to. `nil` when it leads to none.
    public borrowing func peel(_ id: ObjectID) throws(GitError) -> ObjectID? {
        var id = id
        // No chain of real tags is longer, and a loop cannot be made.
        for _ in 0..<1_000 {
            switch try header(of: id).kind {
            case .commit: return id
            case .tag:
                guard let next = try tagTarget(of: id) else { return nil }
                id = next
            case .tree, .blob: return nil
            }
        }
        return nil
    }

    /// What an annotated tag names.
    borrowing func tagTarget(of tag: ObjectID) throws(GitError) -> ObjectID? {
        try withObject(tag, .tag) { bytes throws(GitError) in try ObjectHeaders(bytes).target(of: tag) }
    }

    /// Whether `ancestor` is reachable from `commit`; a commit is its own ancestor. Needs the history between them.
    public borrowing func isAncestor(_ ancestor: ObjectID, of commit: ObjectID) throws -> Bool {
        try ancestor == commit || hasParent(ancestor, from: commit)
    }

    /// Whether a commit, or one that it follows, has this one as a parent. Parents that are not here are not looked at.
    public borrowing func hasParent(_ parent: ObjectID, from commit: ObjectID) throws -> Bool {
        var seen: Set<ObjectID> = []
        var rest = [commit]
        while let id = rest.popLast() {
            guard seen.insert(id).inserted, try contains(id) else { continue }
            try Task.checkCancellation()
            let parents = try ownCommit(id).parents
            if parents.contains(parent) { return true }
            rest += parents
        }
        return false
    }
}

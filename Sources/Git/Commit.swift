import CLibgit2

/// What is needed of a commit object.
public struct Commit: Sendable, Equatable {
    /// Its own name.
    public let id: ObjectID
    /// The tree that it holds.
    public let tree: ObjectID
    /// The commits before it; they need not be in the same repository.
    public let parents: [ObjectID]
    /// When it was committed, in seconds since 1970 by the committer's clock: any number at all.
    public let time: Int64
}

extension Repository {
    /// Reads a commit.
    public borrowing func commit(_ id: ObjectID) throws(GitError) -> Commit {
        var oid = id.raw
        let pointer = pointer
        let object = try handle("git_commit_lookup") { git_commit_lookup(&$0, pointer, &oid) }
        defer { git_commit_free(object) }
        let parents = (0..<git_commit_parentcount(object)).compactMap {
            git_commit_parent_id(object, $0).map { ObjectID($0.pointee) }
        }
        guard let tree = git_commit_tree_id(object) else {
            throw GitError(call: "git_commit_tree_id", code: -1, message: "the commit names no tree")
        }
        return Commit(id: id, tree: ObjectID(tree.pointee), parents: parents, time: git_commit_time(object))
    }

    /// Whether `ancestor` is reachable from `commit`; a commit is its own ancestor. Needs the history between them.
    public borrowing func isAncestor(_ ancestor: ObjectID, of commit: ObjectID) throws(GitError) -> Bool {
        guard ancestor != commit else { return true }
        var old = ancestor.raw
        var new = commit.raw
        let pointer = pointer
        return try check("git_graph_descendant_of") { git_graph_descendant_of(pointer, &new, &old) } == 1
    }
}

public import Git

/// What a tree is: of which commit, and by which recipe.
public struct Revision: Hashable, Sendable {
    /// The commit.
    public var commit: ObjectID
    /// What is made of it.
    public var recipe: Recipe

    /// Of its parts.
    public init(commit: ObjectID, recipe: Recipe) {
        self.commit = commit
        self.recipe = recipe
    }
}

extension Repository {
    /// The tree of a commit, with those of its submodules where the recipe has them and they were brought.
    ///
    /// - Throws: `GitError` when the commit is not here, or not all of what the recipe takes of it: a folder of it may be here alone,
    ///   or its submodules may not.
    public borrowing func root(of commit: ObjectID, as recipe: Recipe) throws(GitError) -> ObjectID {
        let tree = try self.commit(commit).tree
        if isOutlined(commit), !hasOutline(of: commit, reaching: recipe.subdirectory) {
            throw .missing("another folder of commit \(commit) is here alone")
        }
        guard recipe.followsSubmodules else { return tree }
        if let composite = composite(of: commit, recipe: recipe.digest) { return composite.tree }
        if try hasModuleList(in: tree) { throw .missing("the submodules of commit \(commit) are not here") }
        return tree
    }
}

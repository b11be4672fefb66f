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
    /// - Throws: `GitError` when the commit is not here.
    public borrowing func root(of commit: ObjectID, as recipe: Recipe) throws(GitError) -> ObjectID {
        let tree = try self.commit(commit).tree
        guard recipe.followsSubmodules else { return tree }
        return composite(of: commit, recipe: recipe.digest)?.tree ?? tree
    }
}

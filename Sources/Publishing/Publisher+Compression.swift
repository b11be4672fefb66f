import Content
import Git

/// Compressed files are made with an update, before it is shown: they cost what the update changes. Those of a whole site are made
/// afterwards, while nobody waits; then it is shown once more, with them.
extension Publisher {
    /// Whether something is made by this recipe, but for its compressed files.
    func lacksCompressedFiles(_ recipe: Recipe) -> Bool {
        options.recipe.compression != nil && recipe == options.recipe.uncompressed
    }

    /// How an update is made: with its compressed files where what is visible has those that do not change.
    func layoutForNow() throws -> any Layout {
        guard options.recipe.compression != nil, try published()?.revision.recipe.compression == nil else {
            return layout
        }
        var plain = options
        plain.recipe = options.recipe.uncompressed
        return layout.kind.layout(of: destination, plain)
    }

    /// Gives what is visible the compressed files that it lacks, and shows it with them. It is what it was else: nobody is told.
    ///
    /// - Returns: whether it did.
    func addCompressedFiles(isStopped: @escaping @Sendable () -> Bool) throws -> Bool {
        guard let published = try published(), lacksCompressedFiles(published.revision.recipe), !hasDrifted,
            !isStopped(), destination.store.exists
        else { return false }
        let contents = destination.contents(of: try destination.store.open())
        let (recipe, commit) = (options.recipe, published.commit)
        guard try contents.repository.contains(commit) else { return false }
        let whole = try contents.repository.commit(commit).with(tree: contents.repository.root(of: commit, as: recipe))
        guard let tree = try contents.repository.subtree(of: whole.tree, at: recipe.subdirectory) else { return false }
        let staged: StagedTree
        do {
            staged = try layout.materialize(
                whole, tree: tree, from: contents, now: published.since, drifted: [], .background(isStopped),
                keeping: lostAndFound())
        } catch is CancellationError {
            return false
        }
        _ = try publish(staged)
        return true
    }
}

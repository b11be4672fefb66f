import Content
import Git

/// Compressed files are made with an update, before it is shown: they cost what the update changes. Those of a whole site are made
/// afterwards, while nobody waits; then it is shown once more, with them. Where they would be more than may be published, there are none:
/// a commit is not refused for them.
extension Publisher {
    /// Whether something is made by this recipe, but for its compressed files.
    func lacksCompressedFiles(_ recipe: Recipe) -> Bool {
        options.recipe.compression != nil && recipe == options.recipe.uncompressed
    }

    /// Whether what is visible is to get them.
    func needsCompressedFiles() throws -> Bool {
        try !hasTooManyFiles && published().map { lacksCompressedFiles($0.revision.recipe) } ?? false
    }

    private var plain: any Layout {
        var plain = options
        plain.recipe = options.recipe.uncompressed
        return layout.kind.layout(of: destination, plain)
    }

    /// What cleans up: trees without compressed files are of use where there will be no others.
    var layoutForUpkeep: any Layout { hasTooManyFiles ? plain : layout }

    /// Makes an update: with its compressed files where what is visible has those that do not change.
    func compressing(_ make: (any Layout) throws -> StagedTree) throws -> StagedTree {
        guard options.recipe.compression != nil else { return try make(layout) }
        guard !hasTooManyFiles, try published()?.revision.recipe.compression != nil else { return try make(plain) }
        do {
            return try make(layout)
        } catch let error as PublishingError where error.isLimit {
            var staged = try make(plain)
            noteTooManyFiles()
            staged.notices.append(.notCompressed(reason: error.description))
            return staged
        }
    }

    /// Gives what is visible the compressed files that it lacks, and shows it with them. It is what it was else: nobody is told.
    ///
    /// - Returns: what a person should know; `nil` when there was nothing to do.
    func addCompressedFiles(isStopped: @escaping @Sendable () -> Bool) throws -> [Notice]? {
        guard try needsCompressedFiles(), let published = try published(), !hasDrifted, !isStopped(),
            destination.store.exists, published.commit != incompressible
        else { return nil }
        let contents = destination.contents(of: try destination.store.open())
        let (recipe, commit) = (options.recipe, published.commit)
        guard try contents.repository.contains(commit) else { return nil }
        let whole = try contents.repository.commit(commit).with(tree: contents.repository.root(of: commit, as: recipe))
        guard let tree = try contents.repository.subtree(of: whole.tree, at: recipe.subdirectory) else { return nil }
        do {
            let staged = try layout.materialize(
                whole, tree: tree, from: contents, now: published.since, drifted: [], .background(isStopped),
                keeping: lostAndFound())
            _ = try publish(staged)
            return []
        } catch is CancellationError {
            return nil
        } catch let error as PublishingError where error.isLimit {
            noteTooManyFiles()
            return [.notCompressed(reason: error.description)]
        } catch {
            // A full disk is as full in a minute, and all would be compressed in vain again.
            incompressible = commit
            throw error
        }
    }
}

extension PublishingError {
    /// Whether there would be more than may be published.
    fileprivate var isLimit: Bool {
        switch self {
        case .limitExceeded, .pathsTooLong: true
        default: false
        }
    }
}

import Content
public import Git

/// What `Publisher.changes` found.
public struct Changes: Sendable {
    /// What is visible, or will be.
    public let published: Published
    /// The paths, in the order of their bytes.
    public let paths: [TreePath]
    /// Whether they are all that are published.
    public let isWhole: Bool
}

extension Publisher {
    /// What is visible, and every path of it that shows other bytes than one of several earlier publishes did, that it did not
    /// have or that is gone. Where a symbolic link is among them, all links are: what one leads to may decide on another.
    ///
    /// - Parameters:
    ///   - staged: a tree to compare in place of what is visible.
    ///   - earlier: where one of them is not to be had any more, or was published in another way, every path counts.
    /// - Returns: `nil` when nothing is visible.
    public func changes(of staged: StagedTree? = nil, since earlier: [PublishedName]) throws -> Changes? {
        let visible = try staged == nil ? layout.visible()?.record : nil
        guard let record = staged?.record ?? visible else { return nil }
        let now = Published(record)
        var paths: Set<TreePath> = []
        for earlier in earlier.isEmpty ? [nil] : Set(earlier).map(Optional.some) {
            guard let earlier, earlier.variant == now.name.variant, let commit = ObjectID(hex: earlier.commit),
                let changed = try changes(of: record, since: commit)
            else {
                var all: [TreePath] = []
                record.rows.forEach { path, row in
                    if (row.kind != .link || row.isMadeLink) && !row.content.isCompressed { all.append(path) }
                }
                return Changes(published: now, paths: all, isWhole: true)
            }
            paths.formUnion(changed)
        }
        return Changes(published: now, paths: paths.sorted(), isWhole: false)
    }

    /// - Returns: `nil` when it cannot be told.
    private func changes(of record: TreeRecord, since commit: ObjectID) throws -> [TreePath]? {
        guard destination.store.exists else { return nil }
        let recipe = options.recipe
        var (paths, hasLinks): ([TreePath], Bool) = ([], false)
        do {
            let repository = try destination.store.open()
            let root = try repository.root(of: commit, as: recipe)
            guard let old = try repository.subtree(of: root, at: recipe.subdirectory) else { return nil }
            try repository.differences(
                from: old, to: record.tree, depth: options.limits.depth, folders: options.limits.files,
                including: { entry, path, _ in recipe.selection.publishes(entry, at: path) }
            ) { change in
                paths.append(change.path)
                hasLinks = hasLinks || change.old?.kind == .link || change.new?.kind == .link
            }
        } catch is TreeTooLarge {
            return nil
        } catch let error as GitError where !error.isLocalDisk {
            // Its objects are gone, or some of them are: nobody needs them but for this.
            return nil
        }
        return hasLinks ? paths + record.links.keys : paths
    }
}

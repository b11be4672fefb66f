public import Git

/// What was visible at some time: enough to tell how another tree differs from it.
public struct PublishedName: Sendable, Codable, Equatable {
    /// All forty digits.
    public var commit: String
    /// The subdirectory and the way in which its files were made.
    public var variant: String
    /// When it became visible, in seconds since 1970.
    public var since: Int64
}

extension Published {
    /// What tells it from everything else that was or will be published.
    public var name: PublishedName {
        PublishedName(commit: "\(commit)", variant: "\(subdirectory) \(policy)", since: since)
    }
}

extension Publisher {
    /// What is visible, and every path of it that shows other bytes than an earlier publish did, that it did not have or
    /// that is gone, in the order of their bytes.
    ///
    /// - Parameters:
    ///   - staged: a tree to compare in place of what is visible.
    ///   - earlier: `nil` when nothing was.
    /// - Returns: also whether the paths are all that there are, because the earlier commit is not to be had any more or was
    ///   published in another way; `nil` when nothing is visible.
    public func changes(of staged: StagedTree? = nil, since earlier: PublishedName?) throws -> Changes? {
        let visible = try staged == nil ? visibleTree()?.record : nil
        guard let record = staged?.record ?? visible else { return nil }
        let now = Published(record)
        var paths: [TreePath] = []
        guard let earlier, earlier.variant == now.name.variant, let commit = ObjectID(hex: earlier.commit),
            destination.store.exists, let old = try tree(of: commit)
        else {
            record.rows.forEach { path, row in if row.kind != .link || row.isMadeLink { paths.append(path) } }
            return Changes(published: now, paths: paths, isWhole: true)
        }
        let selection = options.selection
        let repository = try destination.store.open()
        try repository.differences(
            from: old, to: record.tree, depth: .max, folders: .max,
            looksAt: { entry, path, _ in selection.publishes(entry, at: path) }
        ) { paths.append($0.path) }
        return Changes(published: now, paths: paths.sorted(), isWhole: false)
    }

    private func tree(of commit: ObjectID) throws -> ObjectID? {
        let repository = try destination.store.open()
        guard try repository.contains(commit) else { return nil }
        let root = try repository.commit(commit).tree
        let tree = try repository.subtree(of: root, at: TreePath(options.subdirectory))
        return try tree.flatMap { try repository.contains($0) ? $0 : nil }
    }
}

/// What `Publisher.changes` found.
public struct Changes: Sendable {
    /// What is visible, or will be.
    public let published: Published
    /// The paths.
    public let paths: [TreePath]
    /// Whether they are all that are published.
    public let isWhole: Bool
}

public import Content
public import Git

/// What a publish would change of what is shown, path by path, in the order of their bytes.
public struct ExpectedChanges: Sendable {
    /// A path, and the bytes that it will have, or had.
    public struct Item: Sendable {
        /// Below DESTINATION.
        public let path: TreePath
        /// Of a file; 0 for a link and the folder of a submodule.
        public let bytes: Int64
    }

    /// What of the commit is not shown as the commit has it.
    public struct Omission: Sendable {
        /// Below DESTINATION.
        public let path: TreePath
        /// Why it is not, in a few words.
        public let reason: String
    }

    /// The commit that is shown; `nil` for nothing of ours.
    public internal(set) var published: ObjectID?
    /// Paths that nothing is shown at.
    public internal(set) var added: [Item] = []
    /// Paths that something else is shown at.
    public internal(set) var changed: [Item] = []
    /// Paths that nothing will be shown at.
    public internal(set) var removed: [Item] = []
    /// What is left out.
    public internal(set) var leftOut: [Omission] = []
    /// The first path of the repository whose bytes the followed repository's server of Git LFS has to give; `nil` when there is none.
    public internal(set) var firstObject: TreePath?
}

extension Publisher {
    /// A publisher that decides as the one of another DESTINATION would, and has its store and all else in a folder of its own.
    ///
    /// - Throws: `PublishingError`, `DiskError`.
    public static func rehearsal(
        of look: DestinationLook, in folder: String, options: PublishingOptions
    ) throws -> Publisher {
        var options = options.inheriting(from: try look.record?.recipe)
        options.layout = .link
        return try open(Destination(folder + "/www", state: folder + "/state"), options: options).publisher
    }

    /// What `materialize` and `publish` would come to at another DESTINATION. Nothing is made; files of Git LFS need not be here.
    ///
    /// - Throws: what `materialize` would, but for what only the disk can tell.
    public func expectedChanges(
        by commit: Commit, from contents: borrowing Contents, at look: DestinationLook
    ) throws -> ExpectedChanges {
        let recipe = options.recipe
        let tree = try contents.repository.folder(recipe.subdirectory, of: commit)
        let standing = try look.record
        let plan = try TreePlan(to: tree, from: nil, known: [], in: contents, options: options)
        var changes = ExpectedChanges(published: standing?.commit)
        var shown: Set<TreePath> = []
        let parts = contents.repository.composite(of: commit.id, recipe: recipe.digest)?.parts
        // Those of a submodule are its own server's.
        let modules = (parts?.modules ?? []).map { TreePath($0.path).components }
        let here = look.destination?.lfs
        for leaf in plan.leaves {
            shown.insert(leaf.path)
            if changes.firstObject == nil, case .lfs(let id) = leaf.content, standing?[leaf.path]?.holds(leaf) != true,
                here?.contains(LFSObject(id: id, size: leaf.size ?? 0)) != true
            {
                let whole = leaf.path.components.reduce(recipe.subdirectory) { $0.appending($1) }
                if !modules.contains(where: { whole.components.starts(with: $0) }) { changes.firstObject = whole }
            }
            let item = ExpectedChanges.Item(path: leaf.path, bytes: leaf.size ?? 0)
            switch standing?[leaf.path] {
            case let old? where old.isShown: if !old.holds(leaf) { changes.changed.append(item) }
            default: changes.added.append(item)
            }
        }
        standing?.rows.forEach { path, row in
            guard row.isShown, !shown.contains(path) else { return }
            changes.removed.append(ExpectedChanges.Item(path: path, bytes: row.size))
        }
        changes.leftOut = try omissions(of: plan, tree, parts, in: contents)
        return changes
    }

    private func omissions(
        of plan: TreePlan, _ tree: ObjectID, _ parts: Composite.Parts?, in contents: borrowing Contents
    ) throws -> [ExpectedChanges.Omission] {
        let (recipe, limits) = (options.recipe, options.limits)
        var omissions: [ExpectedChanges.Omission] = []
        func leaveOut(_ path: TreePath, _ reason: String) { omissions.append(.init(path: path, reason: reason)) }
        for notice in plan.notices {
            switch notice {
            case .skippedLink(let path, let target):
                leaveOut(
                    path,
                    recipe.symlinks == .none
                        ? "a symbolic link (SIDEKICK_SYMLINKS=none)"
                        : "a symbolic link that leads outside, to \(EntryName(target))")
            case .submodule(let path):
                let whole = path.components.reduce(recipe.subdirectory) { $0.appending($1) }
                let reason = parts?.leftOut.first { $0.path == whole.description }?.reason
                leaveOut(path, "a submodule, an empty folder: \(reason ?? "SIDEKICK_SUBMODULES=off")")
            default: continue
            }
        }
        for leaf in plan.leaves where recipe.lfs != .on {
            guard case .blob(let blob) = leaf.content, let size = leaf.size, LFSPointer.sizes.contains(size),
                try contents.repository.withBlob(blob, { LFSPointer($0) }) != nil
            else { continue }
            leaveOut(leaf.path, "a pointer of Git LFS, as it is (SIDEKICK_LFS=off)")
        }
        try contents.repository.differences(
            from: nil, to: tree, depth: limits.depth, folders: limits.files,
            including: { entry, path, _ in
                if recipe.selection.publishes(entry, at: path) { return true }
                leaveOut(path, "by SIDEKICK_INCLUDE and SIDEKICK_EXCLUDE")
                return false
            }
        ) { _ in }
        return omissions.sorted { $0.path < $1.path }
    }
}

extension DestinationLook {
    /// What is shown; `nil` for nothing of ours.
    public func published() throws -> Published? { try record.map(Published.init) }

    /// Whether that commit, as `options` have it, is what is shown: then nobody has to sign it once more.
    public func shows(_ commit: ObjectID, as options: PublishingOptions) throws -> Bool {
        guard let record = try record else { return false }
        let recipe = options.inheriting(from: record.recipe).recipe
        guard record.recipe == recipe || record.recipe == recipe.uncompressed else { return false }
        if record.commit == commit { return true }
        // A push elsewhere in the repository, once it is here.
        guard recipe.subdirectory != .root, let store = destination?.store, store.exists else { return false }
        let repository = try store.open()
        guard let root = try? repository.root(of: commit, as: recipe) else { return false }
        return (try? repository.subtree(of: root, at: recipe.subdirectory)) == record.tree
    }

    /// What is visible; `nil` for nothing of ours.
    fileprivate var record: TreeRecord? {
        get throws { try destination.flatMap { try $0.visible(in: TreePool($0)) }?.record }
    }
}

extension RecordedEntry {
    /// Whether it stands on the disk: a link may have been left out.
    fileprivate var isShown: Bool { kind != .link || isMadeLink }
}

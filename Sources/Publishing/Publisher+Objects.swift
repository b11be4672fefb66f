import Content
import Git

extension Publisher {
    /// Removes objects of Git LFS that no tree has, that is here or can be gone back to.
    func pruneObjects(isStopped: () -> Bool) throws {
        try withObjectPruning {
            guard destination.lfs.exists, let visible = try layout.visible()?.record else { return false }
            let live = visible.objects
            var kept = live
            for record in try layout.spareRecords() { kept.formUnion(record.objects) }
            kept.formUnion(try objects(of: commitsToGoBackTo(), besides: visible))
            let isDone = try destination.lfs.prune(keeping: kept, isStopped: isStopped) != nil
            if isDone { destination.lfs.removeIncoming() }
            // What only a tree of before has can go with it.
            return isDone && kept == live
        }
    }

    private func commitsToGoBackTo() throws -> [ObjectID] {
        guard destination.store.exists else { return [] }
        let repository = try destination.store.open()
        return repository.publishedCommits() + [repository.fetchedCommit()].compactMap { $0 }
    }

    /// Of each commit, those at the paths that differ from what is visible.
    private func objects(of commits: [ObjectID], besides visible: TreeRecord) throws -> Set<LFSObjectID> {
        var objects: Set<LFSObjectID> = []
        let (recipe, limits) = (options.recipe, options.limits)
        for commit in Set(commits) where commit != visible.commit {
            let repository = try destination.store.open()
            do {
                let root = try repository.root(of: commit, as: recipe)
                guard let tree = try repository.subtree(of: root, at: recipe.subdirectory) else { continue }
                try repository.differences(
                    from: visible.tree, to: tree, depth: limits.depth, folders: limits.files,
                    including: { entry, path, _ in recipe.selection.publishes(entry, at: path) }
                ) { change in
                    let leaf = try change.new.flatMap { try repository.leaf($0, at: change.path, as: recipe) }
                    if case .lfs(let id)? = leaf?.content { objects.insert(id) }
                }
            } catch is TreeTooLarge {
                continue
            } catch let error as GitError where !error.isLocalDisk {
                // It cannot be gone back to.
                continue
            }
        }
        return objects
    }

    /// What a person should know who has upgraded: what an older program published goes on as it was, until a setting says otherwise.
    func staysAsItWas(_ visible: TreeRecord, wanted: PublishingOptions) throws -> [Notice] {
        var notices: [Notice] = []
        if options.recipe.submodules != wanted.recipe.submodules {
            var count = 0
            visible.rows.forEach { _, row in if row.kind == .submodule { count += 1 } }
            if count > 0 { notices.append(.submodulesStayEmpty(count: count)) }
        }
        // What cannot be opened is no reason not to start.
        if options.recipe.lfs != wanted.recipe.lfs, destination.store.exists,
            let repository = try? destination.store.open()
        {
            var count = 0
            visible.rows.forEach { _, row in
                guard case .blob(let id) = row.content, row.isFile, LFSPointer.sizes.contains(row.size) else { return }
                if (try? repository.withBlob(id, { LFSPointer($0) })) ?? nil != nil { count += 1 }
            }
            if count > 0 { notices.append(.pointersStay(count: count)) }
        }
        return notices
    }
}

extension TreeRecord {
    /// The objects of Git LFS whose files it has.
    fileprivate var objects: Set<LFSObjectID> {
        var objects: Set<LFSObjectID> = []
        guard count.objects > 0 else { return objects }
        rows.forEach { _, row in if case .lfs(let id) = row.content { objects.insert(id) } }
        return objects
    }
}

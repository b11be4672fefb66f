import Git

/// What must change on the disk to get from one tree to another, checked against every rule before anything is made.
struct TreePlan {
    /// The leaves that differ. From no tree at all, every leaf of the new one.
    private(set) var changes: [TreeChange] = []
    /// Every symbolic link of the new tree, changed or not: a link can begin to lead outside because another one changed.
    private(set) var links: [TreePath: Link] = [:]
    private(set) var notices: [Notice] = []
    /// The folders that hold a leaf that differs.
    private(set) var folders: Set<TreePath> = []

    /// - Parameters:
    ///   - old: the tree that stands on the disk, where it can still be read; `record` says what was made of it.
    /// - Throws: `PublishingError` for a rule, `GitError` for an object that cannot be read.
    init(
        from old: ObjectID?, to new: ObjectID, record: TreeRecord?, in repository: borrowing Repository,
        options: PublishingOptions
    ) throws {
        let limits = options.limits
        // What goes may come after what replaces it: only what is added is bounded on the way, the sum at the end.
        var added = Count(files: 0, bytes: 0)
        var removed = Count(files: 0, bytes: 0)
        var linkTargets: [TreePath: ObjectID] = [:]
        if old != nil, let record {
            for (path, entry) in record.entries where entry.kind == .link { linkTargets[path] = entry.id }
        }
        do {
            try repository.differences(
                from: old, to: new, depth: limits.depth, folders: limits.files,
                check: { entry, folder in
                    guard let reason = EntryRules.refusal(of: entry.name) else { return }
                    throw PublishingError.entryRefused(path: folder.appending(entry.name), reason: reason)
                }
            ) { change in
                try Task.checkCancellation()
                if let old = change.old {
                    removed.files += 1
                    removed.bytes += record?.entries[change.path]?.size ?? 0
                    if old.kind == .link { linkTargets[change.path] = nil }
                }
                if let new = change.new {
                    added.files += 1
                    switch new.kind {
                    case .file:
                        let recorded = record?.entries[change.path]
                        let size = try recorded?.id == new.id ? recorded!.size : repository.size(of: new.id)
                        added.bytes += size
                        try limits.checkBlob(size, at: change.path)
                    case .link: linkTargets[change.path] = new.id
                    case .submodule: notices.append(.submodule(path: change.path))
                    case .folder: break
                    }
                    try limits.check(added)
                }
                folders.insert(change.path.parent)
                changes.append(change)
            }
        } catch let error as TreeTooLarge {
            throw limits.exceeded(error)
        }
        let before = old == nil ? nil : record
        try limits.check(
            Count(
                files: (before?.entries.count ?? 0) + added.files - removed.files,
                bytes: (before?.byteCount ?? 0) + added.bytes - removed.bytes))
        try decide(linkTargets, in: repository, policy: options.symlinks)
    }

    struct Link {
        let id: ObjectID
        /// Whether it may be made.
        let isAllowed: Bool
    }

    struct Count {
        var files: Int
        var bytes: Int64
    }

    private mutating func decide(
        _ links: [TreePath: ObjectID], in repository: borrowing Repository, policy: SymlinkPolicy
    ) throws {
        var targets: [TreePath: [UInt8]] = [:]
        for (path, blob) in links {
            // Linux's PATH_MAX. A longer one is refused like one that leads outside.
            targets[path] = try repository.size(of: blob) < 4096 ? repository.withBlob(blob) { Array($0) } : []
        }
        let rule = SymlinkRule(targets: targets)
        for (path, target) in targets.sorted(by: { $0.key < $1.key }) {
            let allowed = policy != .none && rule.allows(path)
            self.links[path] = links[path].map { Link(id: $0, isAllowed: allowed) }
            guard !allowed else { continue }
            let text = String(decoding: target.prefix(256), as: UTF8.self)
            if policy == .refuse { throw PublishingError.linkRefused(path: path, target: text) }
            notices.append(.skippedLink(path: path, target: text))
        }
    }
}

extension Limits {
    func check(_ count: TreePlan.Count) throws(PublishingError) {
        if count.files > files {
            throw .limitExceeded(setting: "SIDEKICK_MAX_FILES", limit: "\(files)", found: "more than \(files) files")
        }
        if count.bytes > size {
            throw .limitExceeded(setting: "SIDEKICK_MAX_SIZE", limit: "\(size) bytes", found: "more than \(size) bytes")
        }
    }

    func checkBlob(_ bytes: Int64, at path: TreePath) throws(PublishingError) {
        guard bytes > blob else { return }
        throw .limitExceeded(
            setting: "SIDEKICK_MAX_BLOB", limit: "\(blob) bytes", found: "a file of \(bytes) bytes, \(path)")
    }

    func exceeded(_ error: TreeTooLarge) -> PublishingError {
        switch error.bound {
        case .folders:
            .limitExceeded(setting: "SIDEKICK_MAX_FILES", limit: "\(files)", found: "more than \(files) folders")
        case .depth:
            .entryRefused(
                path: TreePath(bytes: Array(error.path.bytes.prefix(80))),
                reason: "folders nested more than \(depth) deep")
        }
    }
}

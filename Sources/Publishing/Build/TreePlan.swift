import Git

/// What must change on the disk to get to a commit's tree, checked against every rule before anything is made.
struct TreePlan {
    /// What to come from: what stands where the new tree will be, what is visible now, and the paths of which it is not known
    /// what stands there. Both records must be readable as trees of the repository, and of the same policy.
    struct Base {
        let standing: TreeRecord
        let live: TreeRecord?
        var doubtful: [TreePath] = []
    }

    /// A leaf that must be looked at; `new` is `nil` where the new tree has none.
    struct Change {
        let path: TreePath
        let new: TreeEntry?
        /// Whether the new tree has a folder there: one that stands there is not in its way.
        var isFolder = false
    }

    /// In the order of their bytes. Without a base, every leaf of the new tree.
    private(set) var changes: [Change] = []
    /// The symbolic links of the new tree, when its set of links is not that of the base: a link can begin to lead outside
    /// because another one changed.
    private(set) var links: [TreePath: Link] = [:]
    private(set) var notices: [Notice] = []
    /// The folders that hold a leaf that differs.
    private(set) var folders: Set<TreePath> = []
    /// The bytes of the files that differ.
    private(set) var sizes: [TreePath: Int64] = [:]

    struct Link {
        let id: ObjectID
        /// Whether it may be made.
        let isAllowed: Bool
    }

    struct Count {
        var files: Int
        var bytes: Int64
        /// The bytes of all paths: they are in memory.
        var paths = 0
    }

    /// - Parameters:
    ///   - known: records that tell sizes.
    /// - Throws: `PublishingError` for a rule, `GitError` for an object that is missing or cannot be read: a plan that is
    ///   made proves that everything that differs is there.
    init(
        to new: ObjectID, from base: Base?, known: [TreeRecord], in repository: borrowing Repository,
        options: PublishingOptions, pace: Pace = .pass
    ) throws {
        var found: [TreePath: TreeEntry?] = [:]
        var foldersThere: Set<TreePath> = []
        let selection = options.selection
        do {
            if let base {
                try collect(from: base.standing.tree, to: new, in: repository, options, known, pace, into: &found)
                if let live = base.live {
                    try collect(from: live.tree, to: new, in: repository, options, known, pace, into: &found)
                }
                let doubtful = base.doubtful.filter { found[$0] == nil }
                let entries = try repository.entries(at: doubtful, in: new)
                for path in doubtful {
                    let entry = entries[path]
                    if entry?.kind == .folder { foldersThere.insert(path) }
                    let isPublished = entry.map { $0.kind != .folder && selection.publishes($0, at: path) } ?? false
                    found.updateValue(isPublished ? entry : nil, forKey: path)
                }
            } else {
                try collect(from: nil, to: new, in: repository, options, known, pace, into: &found)
            }
        } catch let error as TreeTooLarge {
            throw options.limits.exceeded(error)
        }
        try decideLinks(found, base, in: repository, options, pace)
        if let standing = base?.standing {
            for (path, link) in links where found[path] == nil && link.isAllowed != standing[path]?.isMadeLink {
                found[path] = TreeEntry(name: path.name, kind: .link, id: link.id)
            }
        }
        changes = found.map { path, entry in
            Change(path: path, new: entry, isFolder: foldersThere.contains(path))
        }.sorted { $0.path < $1.path }
        for change in changes { folders.insert(change.path.parent) }
        try options.limits.check(total(base))
    }

    /// The changes as the disk will show them: at the path of a link that is left out there is nothing.
    var shownChanges: [Change] {
        changes.map { change in
            guard change.new?.kind == .link, links[change.path]?.isAllowed != true else { return change }
            return Change(path: change.path, new: nil)
        }
    }

    /// What is to be made, in the order of the bytes of the paths.
    var leaves: [(path: TreePath, entry: TreeEntry)] {
        shownChanges.compactMap { change in change.new.map { (change.path, $0) } }
    }

    /// The links that are in the commit and are not made.
    var leftOut: [TreePath: RecordedEntry] {
        links.filter { !$0.value.isAllowed }.mapValues { RecordedEntry(kind: .link, id: $0.id) }
    }

    /// Adds what differs between two trees.
    private mutating func collect(
        from old: ObjectID?, to new: ObjectID, in repository: borrowing Repository, _ options: PublishingOptions,
        _ known: [TreeRecord], _ pace: Pace, into found: inout [TreePath: TreeEntry?]
    ) throws {
        let (limits, selection) = (options.limits, options.selection)
        // What goes may come after what replaces it: only what is added is bounded on the way, the sum at the end.
        var added = Count(files: 0, bytes: 0)
        var asked: [ObjectID: Int64] = [:]
        try repository.differences(
            from: old, to: new, depth: limits.depth, folders: limits.files,
            looksAt: { entry, path, isNew in
                if isNew, let reason = EntryRules.refusal(of: entry.name) {
                    throw PublishingError.entryRefused(path: path, reason: reason)
                }
                return selection.publishes(entry, at: path)
            }
        ) { change in
            try pace.check()
            options.heartbeat.beat()
            guard found[change.path] == nil else { return }
            added.paths += change.path.bytes.count
            try limits.check(path: change.path)
            found.updateValue(change.new, forKey: change.path)
            guard let new = change.new else { return }
            added.files += 1
            switch new.kind {
            case .file:
                let recorded = known.lazy.compactMap { $0[change.path] }.first { $0.id == new.id && $0.isFile }
                // Trees that name each other have one blob at many paths.
                let size = try recorded?.size ?? asked[new.id] ?? repository.size(of: new.id)
                asked[new.id] = size
                added.bytes += size
                sizes[change.path] = size
                try limits.checkBlob(size, at: change.path)
            case .submodule: notices.append(.submodule(path: change.path))
            case .folder, .link: break
            }
            try limits.check(added)
        }
    }

    private func total(_ base: Base?) -> Count {
        var total = Count(files: 0, bytes: 0)
        if let count = base?.standing.count { total = Count(files: count.entries, bytes: count.bytes) }
        for change in changes {
            if let old = base?.standing[change.path] {
                total.files -= 1
                total.bytes -= old.size
            }
            if change.new != nil {
                total.files += 1
                total.bytes += sizes[change.path] ?? 0
            }
        }
        return total
    }

    /// Which links may be made, when the set of links is a new one.
    private mutating func decideLinks(
        _ found: [TreePath: TreeEntry?], _ base: Base?, in repository: borrowing Repository,
        _ options: PublishingOptions,
        _ pace: Pace
    ) throws {
        let (policy, limits) = (options.symlinks, options.limits)
        var blobs: [TreePath: ObjectID] = [:]
        if let standing = base?.standing {
            let changed = found.contains { path, entry in
                entry?.kind == .link || standing.count.links > 0 && standing[path]?.kind == .link
            }
            guard changed else { return }
            blobs = standing.links.mapValues(\.id)
        }
        for (path, entry) in found { blobs[path] = entry?.kind == .link ? entry?.id : nil }
        var targets: [TreePath: [UInt8]] = [:]
        // A million links to one text are one text.
        var read: [ObjectID: [UInt8]] = [:]
        for (path, blob) in blobs {
            // Linux's PATH_MAX. A longer one is refused like one that leads outside.
            try pace.check()
            let target =
                try read[blob] ?? (repository.size(of: blob) < 4096 ? repository.withBlob(blob) { Array($0) } : [])
            read[blob] = target
            targets[path] = target
        }
        var rule = SymlinkRule(targets: targets, steps: limits.linkSteps)
        for (path, target) in targets.sorted(by: { $0.key < $1.key }) {
            try pace.check()
            let allowed: Bool
            do { allowed = try policy != .none && rule.allows(path) } catch is SymlinkRule.TooManySteps {
                throw PublishingError.limitExceeded(
                    setting: "SIDEKICK_MAX_FILES", limit: "\(limits.linkSteps) for all of them",
                    found: "symbolic links of more steps")
            }
            links[path] = blobs[path].map { Link(id: $0, isAllowed: allowed) }
            guard !allowed else { continue }
            let text = String(decoding: target.prefix(256), as: UTF8.self)
            if policy == .refuse { throw PublishingError.linkRefused(path: path, target: text) }
            notices.append(.skippedLink(path: path, target: text))
        }
    }
}

extension PathSelection {
    /// Whether a leaf is published, or anything below a folder may be.
    func publishes(_ entry: TreeEntry, at path: TreePath) -> Bool {
        entry.kind == .folder ? mayHold(below: path) : selects(path, isFolder: entry.kind == .submodule)
    }
}

extension Limits {
    /// Linux's PATH_MAX, with the byte at its end: nothing longer can be opened, by a web server neither.
    private static let longestPath = 4095

    func check(path: TreePath) throws(PublishingError) {
        guard path.bytes.count > Self.longestPath else { return }
        throw .entryRefused(
            path: TreePath(bytes: Array(path.bytes.prefix(80))), reason: "a path of more than \(Self.longestPath) bytes"
        )
    }

    func check(_ count: TreePlan.Count) throws(PublishingError) {
        if count.paths > paths { throw .pathsTooLong(bytes: paths) }
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

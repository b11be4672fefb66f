import Content
import Git
import Platform

/// What must change on the disk to get to a commit's tree, checked against every rule before anything is made.
struct TreePlan {
    /// What to come from: what stands where the new tree will be, what is visible now, and the paths of which it is not known
    /// what stands there. Both records must be readable as trees of the repository, and of the same policy.
    struct Base {
        let record: TreeRecord
        let live: TreeRecord?
        var dirty: [TreePath] = []
    }

    /// A leaf that must be looked at; `new` is `nil` where the new tree has none.
    struct Change {
        let path: TreePath
        let new: Leaf?
        /// Whether the new tree has a folder there: one that stands there is not in its way.
        var isFolder = false
    }

    /// In the order of their bytes. Without a base, every leaf of the new tree.
    private(set) var changes: [Change] = []
    /// The symbolic links of the new tree, when its set of links is not that of the base: a link can begin to lead outside
    /// because another one changed.
    private(set) var links: [TreePath: Link] = [:]
    private(set) var notices: [Notice] = []
    /// Whether a path may lose an object of Git LFS that it had.
    private(set) var dropsObjects = false

    struct Link {
        let content: ContentID
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
        to new: ObjectID, from base: Base?, known: [TreeRecord], in contents: borrowing Contents,
        options: PublishingOptions, buildMode: BuildMode = .pass
    ) throws {
        let selection = options.recipe.selection
        do {
            if let base {
                try collect(from: base.record.tree, to: new, in: contents, options, known, buildMode)
                if let live = base.live {
                    try collect(from: live.tree, to: new, in: contents, options, known, buildMode)
                    sortChanges()
                }
                let found = base.dirty.isEmpty ? [] : Set(changes.lazy.map(\.path))
                let dirty = base.dirty.filter { !found.contains($0) }
                let entries = try contents.repository.entries(at: dirty, in: new)
                var asked: [ObjectID: FileContent] = [:]
                for path in dirty {
                    let entry = entries[path]
                    let leaf = try entry.flatMap {
                        try Self.leaf($0, at: path, options.recipe, known, in: contents, &asked)
                    }
                    let isPublished = entry.map { selection.publishes($0, at: path) } ?? false
                    changes.append(
                        Change(path: path, new: isPublished ? leaf : nil, isFolder: entry?.kind == .folder))
                }
            } else {
                try collect(from: nil, to: new, in: contents, options, known, buildMode)
            }
        } catch let error as TreeTooLarge {
            throw options.limits.exceeded(error)
        }
        sortChanges()
        let compressed = try CompressedFiles(of: new, changes, base, options, buildMode).changes(in: contents)
        if !compressed.isEmpty {
            let paths = Set(compressed.lazy.map(\.path))
            changes.removeAll { paths.contains($0.path) }
            changes += compressed
            sortChanges()
        }
        for change in changes where change.new?.kind == .submodule { notices.append(.submodule(path: change.path)) }
        try decideLinks(base, in: contents, options, buildMode)
        if let standing = base?.record, !links.isEmpty {
            let found = Set(changes.lazy.map(\.path))
            for (path, link) in links where !found.contains(path) && link.isAllowed != standing[path]?.isMadeLink {
                changes.append(Change(path: path, new: Leaf(path: path, kind: .link, content: link.content)))
            }
            sortChanges()
        }
        try options.limits.check(total(base))
        dropsObjects =
            base == nil
            || changes.contains { change in
                known.contains {
                    $0[change.path].map { $0.content.isLFS && $0.content != change.new?.content } ?? false
                }
            }
    }

    /// In the order of the bytes of their paths, each path once.
    private mutating func sortChanges() {
        // What a walk of one tree finds is nearly in that order already; sorting is stable.
        changes.sort { $0.path < $1.path }
        var last: TreePath?
        changes.removeAll { change in
            defer { last = change.path }
            return change.path == last
        }
    }

    /// The folders that hold a leaf that differs.
    var folders: Set<TreePath> { Set(changes.lazy.map(\.path.parent)) }

    /// The changes as the disk will show them: at the path of a link that is left out there is nothing.
    var shownChanges: [Change] {
        changes.map { change in
            guard change.new?.kind == .link, links[change.path]?.isAllowed != true else { return change }
            return Change(path: change.path, new: nil)
        }
    }

    /// What is to be made, in the order of the bytes of the paths.
    var leaves: [Leaf] { shownChanges.compactMap(\.new) }

    /// The links that are in the commit and are not made.
    var leftOut: [RecordRow] {
        links.filter { !$0.value.isAllowed }.map { path, link in
            RecordRow(path: path, entry: RecordedEntry(kind: .link, content: link.content))
        }
    }

    /// Adds what differs between two trees.
    private mutating func collect(
        from old: ObjectID?, to new: ObjectID, in contents: borrowing Contents, _ options: PublishingOptions,
        _ known: [TreeRecord], _ buildMode: BuildMode
    ) throws {
        let (limits, selection) = (options.limits, options.recipe.selection)
        // What goes may come after what replaces it: only what is added is bounded on the way, the sum at the end.
        var added = Count(files: 0, bytes: 0)
        // Trees that name each other have one blob at many paths.
        var asked: [ObjectID: FileContent] = [:]
        try contents.repository.differences(
            from: old, to: new, depth: limits.depth, folders: limits.files,
            including: { entry, path, isNew in
                if isNew, let reason = EntryRules.refusal(of: entry.name) {
                    throw PublishingError.entryRefused(path: path, reason: reason)
                }
                return selection.publishes(entry, at: path)
            }
        ) { change in
            try buildMode.check()
            options.heartbeat.beat()
            added.paths += change.path.bytes.count
            try limits.check(path: change.path)
            let leaf = try change.new.flatMap {
                try Self.leaf($0, at: change.path, options.recipe, known, in: contents, &asked)
            }
            changes.append(Change(path: change.path, new: leaf))
            guard let leaf else { return }
            added.files += 1
            if let size = leaf.size {
                added.bytes.addClamped(size)
                // A file of Git LFS is never in memory.
                if !leaf.content.isLFS { try limits.checkBlob(size, at: change.path) }
            }
            try limits.check(added)
        }
    }

    /// A leaf, with the size of a file.
    ///
    /// - Parameter asked: what blobs were found to be before.
    private static func leaf(
        _ entry: TreeEntry, at path: TreePath, _ recipe: Recipe, _ known: [TreeRecord], in contents: borrowing Contents,
        _ asked: inout [ObjectID: FileContent]
    ) throws -> Leaf? {
        let leaf = try contents.repository.leaf(entry, at: path, as: recipe) { blob in
            // What another recipe took for a blob may be a pointer to this one.
            let recorded = known.lazy.filter { $0.recipe.lfs == recipe.lfs }.compactMap { $0[path] }
                .first { $0.content == .blob(blob) && $0.isFile }
            return recorded.map { FileContent(content: $0.content, size: $0.size) } ?? asked[blob]
        }
        if let leaf, let size = leaf.size { asked[entry.id] = FileContent(content: leaf.content, size: size) }
        return leaf
    }

    private func total(_ base: Base?) -> Count {
        var total = Count(files: 0, bytes: 0)
        if let count = base?.record.count { total = Count(files: count.entries, bytes: count.bytes) }
        for change in changes {
            if let old = base?.record[change.path] {
                total.files -= 1
                total.bytes.addClamped(-old.size)
            }
            if let new = change.new {
                total.files += 1
                total.bytes.addClamped(new.size ?? 0)
            }
        }
        return total
    }

    /// Which links may be made, when the set of links is a new one.
    private mutating func decideLinks(
        _ base: Base?, in contents: borrowing Contents, _ options: PublishingOptions,
        _ buildMode: BuildMode
    ) throws {
        let (policy, limits) = (options.recipe.symlinks, options.limits)
        var contentsOfLinks: [TreePath: ContentID] = [:]
        if let standing = base?.record {
            let changed = changes.contains { change in
                change.new?.kind == .link || standing.count.links > 0 && standing[change.path]?.kind == .link
            }
            guard changed else { return }
            contentsOfLinks = standing.links.mapValues(\.content)
        }
        let hadLinks = !contentsOfLinks.isEmpty
        for change in changes where hadLinks || change.new?.kind == .link {
            contentsOfLinks[change.path] = change.new?.kind == .link ? change.new?.content : nil
        }
        var targets: [TreePath: [UInt8]] = [:]
        // A million links to one text are one text.
        var read: [ContentID: [UInt8]] = [:]
        for (path, content) in contentsOfLinks {
            // Linux's PATH_MAX. A longer one is refused like one that leads outside.
            try buildMode.check()
            let target =
                try read[content] ?? (contents.size(of: content) < 4096 ? contents.target(of: content) : [])
            read[content] = target
            targets[path] = target
        }
        var rule = SymlinkRule(targets: targets, steps: limits.linkSteps)
        for (path, target) in targets.sorted(by: { $0.key < $1.key }) {
            try buildMode.check()
            let allowed: Bool
            do { allowed = try policy != .none && rule.allows(path) } catch is SymlinkRule.TooManySteps {
                throw PublishingError.limitExceeded(
                    setting: "SIDEKICK_MAX_FILES", limit: "\(limits.linkSteps) for all of them",
                    found: "symbolic links of more steps")
            }
            links[path] = contentsOfLinks[path].map { Link(content: $0, isAllowed: allowed) }
            guard !allowed else { continue }
            let text = String(decoding: target.prefix(256), as: UTF8.self)
            if policy == .refuse { throw PublishingError.linkRefused(path: path, target: text) }
            notices.append(.skippedLink(path: path, target: text))
        }
    }
}

extension Limits {
    /// Linux's PATH_MAX, with the byte at its end: nothing longer can be opened, by a web server neither.
    private static let maxPath = 4095

    func check(path: TreePath) throws(PublishingError) {
        guard path.bytes.count > Self.maxPath else { return }
        throw .entryRefused(
            path: TreePath(bytes: Array(path.bytes.prefix(80))), reason: "a path of more than \(Self.maxPath) bytes"
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

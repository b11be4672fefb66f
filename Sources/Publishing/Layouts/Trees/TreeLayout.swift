import Content
import Git
import Glibc
import Platform

/// The layouts that show one whole tree after another: a new tree is made where nobody sees it, mostly by bringing forward
/// one that was live before the last, and then takes DESTINATION's place in one step.
struct TreeLayout: Layout {
    let kind: LayoutKind
    let destination: Destination
    let options: PublishingOptions
    let pool: TreePool

    init(_ kind: LayoutKind, _ destination: Destination, _ options: PublishingOptions) {
        self.kind = kind
        self.destination = destination
        self.options = options
        pool = TreePool(destination)
    }

    /// The name of the tree that is live, whether or not its record can be read.
    func liveName() throws -> String? {
        switch try destination.kind(in: pool) {
        case .linkedTree(let name), .exchangedTree(let name): name
        case .nothing, .publishedFolder, .lostTree, .foreignLink, .foreignFolder, .file: nil
        }
    }

    func visible() throws -> VisibleTree? { try destination.visible(in: pool) }

    func checkDestination() {}

    func checkShowing() throws {
        guard !destination.isVolumeFolderInside, !destination.isMountPoint else { throw cannotSwitch }
    }

    func identity() throws -> String? {
        guard let status = try FileStatus.of(destination.path) else { return nil }
        switch (kind, status.kind) {
        case (.link, .link):
            let target = try Directory(opening: destination.parent).readLink(destination.name) ?? []
            guard let tree = try FileStatus.following(destination.path), tree.kind == .folder else { return nil }
            return "\(tree.inode) \(String(decoding: target, as: UTF8.self))"
        case (.exchange, .folder): return "\(status.inode)"
        default: return nil
        }
    }

    /// A switch is one step.
    func isInterrupted() -> Bool { false }

    func rewrite(_ record: TreeRecord) throws {
        if let name = try visible()?.name { try pool.write(record, of: name) }
    }

    func spareRecords() throws -> [TreeRecord] { try pool.spares(besides: nil).map(\.record) }

    var treeCount: Int {
        let names = (try? pool.names()) ?? []
        return names.count { !$0.hasPrefix(".") } + (kind == .exchange ? 1 : 0)
    }

    func tidy(
        makingSpares: Bool, now: Double, isStopped: @escaping @Sendable () -> Bool, keeping lostAndFound: LostAndFound
    ) throws -> Double? {
        try Upkeep(trees: self, now: now, isStopped: isStopped, lostAndFound: lostAndFound).run(
            makingSpares: makingSpares)
    }

    // MARK: materialize

    /// Makes a tree that equals the commit's: from a spare where there is one, else from nothing but links to the visible one.
    ///
    /// - Parameter drifted: paths of the visible tree that are not what was published.
    func materialize(
        _ commit: Commit, tree: ObjectID, from contents: borrowing Contents, now: Int64, drifted: [TreePath],
        _ buildMode: BuildMode, keeping lostAndFound: LostAndFound
    ) throws -> StagedTree {
        try checkShowing()
        try pool.settleNames()
        let visible = try visible()
        // Somebody removed what was: the next folder may get its inode, and would be taken for it.
        if visible == nil, try pool.forgetLost() {
            // Nothing says any more which of a spare's files have had other bytes since, at a younger time: all is made anew.
            let previous = try pool.previous()?.tree
            for spare in try pool.spares(besides: previous) {
                _ = try pool.retire(spare.name, keeping: lostAndFound) { false }
            }
        }
        try markDirty(drifted, of: visible, keeping: lostAndFound)
        let (staged, found) = try make(
            commit, tree: tree, visible, from: contents, now: now, drifted: drifted, buildMode, keeping: lostAndFound)
        try markDirty(found, of: visible, keeping: lostAndFound)
        return staged
    }

    /// - Returns: also the paths of the visible tree that turned out not to be what was published.
    private func make(
        _ commit: Commit, tree: ObjectID, _ visible: VisibleTree?, from contents: borrowing Contents, now: Int64,
        drifted: [TreePath], _ buildMode: BuildMode, keeping lostAndFound: LostAndFound
    ) throws -> (StagedTree, drifted: [TreePath]) {
        for spare in try spares(behind: visible, in: contents.repository) {
            let update = SpareUpdate(
                pool: pool, spare: spare, visible: visible, drifted: drifted, commit: commit, tree: tree,
                options: options, layout: kind, now: now, lostAndFound: lostAndFound, buildMode: buildMode)
            do {
                return try update.run(from: contents)
            } catch let error as DiskError where !error.isOutOfSpace {
                // A tree that cannot be changed (another user's, a bad block) must not stand in the way of every pass.
                continue
            }
        }
        return try makeWhole(
            commit, tree: tree, visible: visible, from: contents, now: now, drifted: Set(drifted), buildMode)
    }

    /// Brings the spare that the next update will take forward to what is visible, while nobody waits: then that update has
    /// only its own changes to make, and not those of the updates before it.
    ///
    /// - Returns: the seconds until it may be touched; `nil` when there is nothing to do any more.
    func bringSpareForward(isStopped: @escaping @Sendable () -> Bool, keeping lostAndFound: LostAndFound) throws
        -> Double?
    {
        guard let visible = try visible(), let live = visible.name, destination.store.exists,
            visible.record.recipe.subdirectory == options.recipe.subdirectory
        else { return nil }
        let repository = try destination.store.open()
        guard let spare = try spares(behind: visible, in: repository).first,
            spare.record.tree != visible.record.tree || !spare.dirty.isEmpty,
            try repository.contains(visible.record.commit)
        else { return nil }
        let grace = options.grace.inSeconds
        let wait = spare.ended + grace - wallSeconds()
        guard wait <= 0 || wait > grace else { return wait }
        let update = SpareUpdate(
            pool: pool, spare: spare, visible: visible, drifted: try pool.dirtyPaths(of: live),
            commit: try repository.commit(visible.record.commit), tree: visible.record.tree, options: options,
            layout: kind, now: visible.record.published, lostAndFound: lostAndFound, buildMode: .background(isStopped))
        let (staged, drifted) = try update.run(from: destination.contents(of: repository))
        if case .tree(let name) = staged.place { pool.stamp(name, neverLive: true) }
        try markDirty(drifted, of: visible, keeping: lostAndFound)
        return nil
    }

    /// The trees to bring forward, the best first: one that holds what is visible, else the youngest one that nobody should be
    /// reading any more, else the one that has been out of sight the longest. None when the difference to the commit cannot
    /// be told.
    private func spares(
        behind visible: VisibleTree?, in repository: borrowing Repository
    ) throws -> [TreePool.Tree] {
        if let visible {
            guard visible.record.recipe.makesFiles(like: options.recipe), try repository.contains(visible.record.tree)
            else {
                return []
            }
        }
        let previous = try pool.previous()?.tree
        var usable: [TreePool.Tree] = []
        for spare in try pool.spares(besides: visible?.name)
        where spare.name != previous && spare.record.recipe.makesFiles(like: options.recipe) {
            if try repository.contains(spare.record.tree) { usable.append(spare) }
        }
        let now = wallSeconds()
        let unread = usable.filter { now - $0.ended >= options.grace.inSeconds || $0.ended > now }
        guard !unread.isEmpty else { return usable.sorted { $0.ended < $1.ended } }
        let (ahead, behind) = unread.partitioned { $0.record.tree == visible?.record.tree && $0.dirty.isEmpty }
        return ahead + behind.sorted { $0.ended > $1.ended }
    }

    private func makeWhole(
        _ commit: Commit, tree: ObjectID, visible: VisibleTree?, from contents: borrowing Contents, now: Int64,
        drifted: Set<TreePath>, _ buildMode: BuildMode
    ) throws -> (StagedTree, drifted: [TreePath]) {
        let old = visible?.record
        let plan = try TreePlan(
            to: tree, from: nil, known: [old].compactMap { $0 }, in: contents, options: options,
            buildMode: buildMode)
        let trees = try pool.trees
        try plan.needs(isWhole: true, in: trees, from: contents) { old?.holds($0) ?? false }.check(in: trees)
        let temporary = EntryName(".new-\(commit.id)")
        try trees.removeTree(temporary)
        do {
            // Nobody else looks into what is not shown yet.
            let root = try trees.makeFolder(temporary, mode: 0o700)
            let (leaves, folders) = (plan.leaves, plan.folders)
            let fresh = leaves.count { $0.content != old?[$0.path]?.content }
            let floor = try old?.removedFloor ?? pool.youngestTime()
            let build = TreeBuild(
                commit: commit, options: options, now: now, visible: old, drifted: drifted, floor: floor,
                durable: fresh + folders.count <= Durability.maxSingleSyncs, buildMode: buildMode)
            let output = try build.run(leaves, in: root, source: visible?.folder, from: contents)
            var record = TreeRecord(
                layout: kind, revision: Revision(commit: commit.id, recipe: options.recipe), tree: tree,
                root: try root.status.inode, published: now)
            record.apply(output.rows + plan.leftOut)
            record.removedFloor = floor
            var removed = 0
            old?.rows.forEach { path, entry in
                guard record[path]?.isFile != true else { return }
                removed += 1
                record.noteRemoval(of: entry)
            }
            try Durability(everything: !build.durable).sync(root, folders: folders)
            let name = try pool.freeName(for: commit.id)
            record = try pool.add(temporary, as: name, record)
            try pool.markReusedTimes(of: record, at: plan.changes.map(\.path), in: name)
            let staged = StagedTree(record: record, place: .tree(name), output, of: plan, removed: removed)
            return (staged, output.drifted)
        } catch {
            try? trees.removeTree(temporary)
            throw error
        }
    }

    // MARK: publish

    /// Shows a tree: one rename, or one exchange. What was live before is `previous` from that moment on: a page that was
    /// loaded just before finds its own assets at any time after.
    func publish(_ staged: StagedTree, keeping lostAndFound: LostAndFound) throws {
        guard case .tree(let name) = staged.place else { return }
        let before = try liveName()
        // Before as well: whoever is killed in between has not made a tree that was just live look as if it never was.
        if let before { pool.stamp(before) }
        try pool.open(name)
        var tree = name
        if kind == .link {
            let commit = staged.record.commit.description
            if before != commit {
                tree = try pool.claimCommitName(for: name)
            } else if name != commit, try replaceLive(commit, by: name, staged.record.root) {
                pool.stamp(name)
                return
            }
        }
        let isKept = before != tree && options.keepPrevious > .zero
        try treeSwitch.show(tree, after: isKept ? before : nil, keeping: lostAndFound)
        if let before, before != tree { pool.stamp(before) }
    }

    /// Shows another tree of the commit that is live: DESTINATION leads to the same name, and this is what has it.
    ///
    /// - Returns: false where the file system cannot do it, and nothing has changed.
    private func replaceLive(_ live: String, by tree: String, _ root: UInt64) throws -> Bool {
        let previous = try pool.previous()?.tree
        // It leads to the one tree before the exchange and to the other one after it: both are whole.
        if options.keepPrevious > .zero { try pool.pointPrevious(at: tree) }
        do {
            if try pool.claimCommitName(for: tree) == live { return true }
            try pool.keepPrevious(previous, whileLive: live)
            return false
        } catch {
            let shown = (try? pool.trees.status(EntryName(live)))?.inode
            if shown != root { try? pool.keepPrevious(previous, whileLive: live) }
            throw error
        }
    }

    private var treeSwitch: TreeSwitch { TreeSwitch(layout: kind, destination: destination, pool: pool) }

    /// Finishes a switch whose end failed, after what it showed was visible.
    func settle(keeping lostAndFound: LostAndFound) throws { try treeSwitch.settle(keeping: lostAndFound) }

    func recover(keeping lostAndFound: LostAndFound) throws -> [Notice] {
        let notices = try recoverPool(keeping: lostAndFound)
        let folder = FolderLayout(destination: destination, options: options)
        guard case .publishedFolder = try destination.kind(in: pool), try folder.isInterrupted() else {
            return notices
        }
        // What becomes a tree should be what a commit has. Where it cannot be, each path is what it shows itself to be.
        return notices + ((try? folder.recoverBurst(keeping: lostAndFound)) ?? [])
    }

    /// The same for the trees alone.
    func recoverPool(keeping lostAndFound: LostAndFound) throws -> [Notice] {
        try settle(keeping: lostAndFound)
        try pool.settleNames()
        let standing = try destination.kind(in: pool)
        let live = try liveName()
        let unfinished = try pool.sweep(live: live)
        if standing.isTree {
            try FolderLayout.forget(in: Directory(opening: destination.volumeFolder), keeping: lostAndFound)
        }
        return unfinished == 0
            ? [] : [.recovered("removed \(unfinished) unfinished trees of a process that was killed")]
    }

    var cannotSwitch: PublishingError {
        .destinationUnusable(
            path: destination.path,
            reason: "the layout \(kind.rawValue) must rename it, and it is a mount or its parent may not be written",
            remedy: "mount the volume one folder higher, or set SIDEKICK_LAYOUT=folder")
    }
}

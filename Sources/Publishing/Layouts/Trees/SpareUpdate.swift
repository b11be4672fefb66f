import Content
import Git
import Glibc

/// Brings a spare tree forward to a commit: the cost follows what differs between what it holds, what is visible and what it
/// will hold.
struct SpareUpdate {
    let pool: TreePool
    let spare: TreePool.Tree
    let visible: VisibleTree?
    /// Paths of the visible tree that are not what was published: the new tree must not share them.
    let drifted: [TreePath]
    let commit: Commit
    let tree: ObjectID
    let options: PublishingOptions
    let layout: LayoutKind
    let now: Int64
    let lostAndFound: LostAndFound
    var buildMode = BuildMode.pass

    /// - Returns: also the paths of the visible tree that turned out not to be what was published.
    func run(from contents: borrowing Contents) throws -> (StagedTree, drifted: [TreePath]) {
        let dirty = Set(spare.dirty)
        let floor = try visible?.record.removedFloor ?? pool.youngestTime()
        let plan = try TreePlan(
            to: tree,
            from: TreePlan.Base(record: spare.record, live: visible?.record, dirty: Array(dirty.union(drifted))),
            known: [visible?.record, spare.record].compactMap { $0 }, in: contents, options: options,
            buildMode: buildMode)
        guard let root = try pool.trees.folder(EntryName(spare.name)) else {
            throw DiskError("open the folder", spare.name, code: ENOENT)
        }
        try check(plan, in: root, contents) { keeps($0, dirty, floor) != nil }
        try pool.close(spare.name)
        try pool.noteDirty(dirty.union(plan.changes.map(\.path)), of: spare.name)

        let removal = PathRemoval(
            root: root, record: spare.record, dirty: dirty, lostAndFound: lostAndFound, buildMode: buildMode)
        let build = TreeBuild(
            commit: commit, options: options, now: now, visible: visible?.record, drifted: Set(drifted),
            floor: floor, durable: plan.changes.count <= Durability.maxSingleSyncs, buildMode: buildMode)
        let kept = try removal.run(plan.shownChanges) { keeps($0, dirty, floor) }
        let output = try build.run(
            plan.leaves.filter { kept[$0.path] == nil }, in: root, source: visible?.folder, from: contents)
        try Durability(everything: !build.durable).sync(root, folders: removal.existingFolders(plan.folders))

        var rows: [TreePath: RecordedEntry?] = [:]
        for change in plan.changes where spare.record[change.path] != nil {
            rows.updateValue(nil, forKey: change.path)
        }
        for row in plan.leftOut { rows[row.path] = row.entry }
        for (path, row) in kept { rows[path] = row }
        for row in output.rows { rows[row.path] = row.entry }
        var (record, removed) = record(applying: rows, of: plan.changes, floor)
        record.root = try root.status.inode
        let name = try rename(to: record)
        try pool.markReusedTimes(of: record, at: plan.changes.map(\.path), in: name)
        let staged = StagedTree(record: record, place: .tree(name), output, of: plan, removed: removed)
        return (staged, output.drifted)
    }

    private func check(
        _ plan: TreePlan, in root: Directory, _ contents: borrowing Contents, keeps: (Leaf) -> Bool
    ) throws {
        let needs = try plan.needs(isWhole: false, in: root, from: contents) { leaf in
            keeps(leaf) || visible?.record.holds(leaf) ?? false
        }
        try needs.check(in: root) { try plan.freed(in: root, keeps: keeps) }
    }

    /// What the spare has already and may keep, because the time that it shows is not one that the path has had with other
    /// bytes since.
    private func keeps(
        _ leaf: Leaf, _ dirty: Set<TreePath>, _ removedFloor: Int64
    ) -> RecordedEntry? {
        let times = options.recipe.modificationTimes
        guard !dirty.contains(leaf.path), let row = spare.record[leaf.path], row.holds(leaf), row.isFile,
            times.accepts(row)
        else { return nil }
        let shown = visible?.record[leaf.path]
        if times == .content { return row }
        let floor = shown.flatMap { $0.isFile ? $0.time : nil } ?? removedFloor
        return shown?.content == row.content && shown?.time == row.time || row.time > floor ? row : nil
    }

    /// - Parameter changes: also those of which the spare has no row and gets none: what is visible may have one.
    private func record(
        applying rows: [TreePath: RecordedEntry?], of changes: [TreePlan.Change], _ floor: Int64
    ) -> (TreeRecord, removed: Int) {
        var record = spare.record
        var removed = 0
        record.removedFloor = max(record.removedFloor, floor)
        for path in changes.lazy.map(\.path) where rows[path]??.isFile != true {
            record.noteRemoval(of: spare.record[path])
            record.noteRemoval(of: visible?.record[path])
            if rows[path] ?? nil == nil, visible?.record[path] != nil { removed += 1 }
        }
        record.apply(rows)
        record.layout = layout
        record.revision = Revision(commit: commit.id, recipe: options.recipe)
        record.tree = tree
        record.published = now
        return (record, removed)
    }

    /// Gives the spare the name of its commit.
    private func rename(to record: TreeRecord) throws -> String {
        guard spare.record.commit != commit.id else {
            try pool.write(record, of: spare.name)
            try pool.clearDirty(of: spare.name)
            return spare.name
        }
        let name = try pool.freeName(for: commit.id)
        _ = try pool.add(EntryName(spare.name), as: name, record)
        try pool.removeRecord(of: spare.name)
        return name
    }
}

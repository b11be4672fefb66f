import Content
import Git
import Glibc

/// DESTINATION is a real folder. Each path is the old file or the new one, and a path that both commits have is never
/// absent: everything is staged, then written down as an intent, then renamed in one burst, assets before pages before
/// deletions. What is not ours stays where it is, unless it stands in the way.
struct FolderLayout: Layout {
    let destination: Destination
    let options: PublishingOptions

    static let recordName = EntryName("record")
    static let nextRecordName = EntryName("record.next")
    static let intentName = EntryName("intent")
    static let stagingName = EntryName("staging")

    var kind: LayoutKind { .folder }

    private var pool: TreePool { TreePool(destination) }
    /// What other layouts left.
    private var trees: TreeLayout { TreeLayout(.folder, destination, options) }

    func checkDestination() throws {
        guard try FileStatus.of(destination.path)?.kind == .folder else { return }
        guard access(destination.path, W_OK) == 0 else { throw DiskError("write into", destination.path) }
    }

    /// A link that another layout shows is taken over; any other is somebody's.
    func checkShowing() throws {
        guard try FileStatus.of(destination.path)?.kind == .link, try !destination.kind(in: pool).isTree else { return }
        throw PublishingError.destinationUnusable(
            path: destination.path, reason: "the layout folder needs a real folder and this is a symbolic link",
            remedy: "leave SIDEKICK_LAYOUT unset to keep the link, or remove the link first")
    }

    func identity() throws -> String? {
        guard let status = try FileStatus.of(destination.path), status.kind == .folder,
            let record = try FileStatus.of(destination.volumeFolder + "/record")
        else { return nil }
        return "\(record.inode) \(record.mtime) \(status.inode)"
    }

    func visible() throws -> VisibleTree? {
        try destination.visible(in: pool).flatMap { $0.kind == .folder ? $0 : nil }
    }

    func rewrite(_ record: TreeRecord) throws {
        try shelf.write(record, as: Self.recordName, in: Directory(opening: destination.volumeFolder))
    }

    func spareRecords() -> [TreeRecord] { [] }

    var treeCount: Int { 1 }

    /// A commit is a tree only when it is published.
    func beginInspection(of staged: StagedTree) -> String? { nil }

    func endInspection(keeping lostAndFound: LostAndFound, noting: ([TreePath]) throws -> Void) throws -> [TreePath] {
        try trees.endInspection(keeping: lostAndFound, noting: noting)
    }

    func tidy(
        makingSpares: Bool, now: Double, isStopped: @escaping @Sendable () -> Bool, keeping lostAndFound: LostAndFound
    ) throws -> Double? {
        try trees.tidy(makingSpares: makingSpares, now: now, isStopped: isStopped, keeping: lostAndFound)
    }

    /// What was published last; `nil` when DESTINATION is not a folder that we published into.
    func record() throws -> TreeRecord? {
        guard try FileStatus.of(destination.path)?.kind == .folder else { return nil }
        return try destination.folderRecord()
    }

    /// Whether a burst was interrupted.
    func isInterrupted() throws -> Bool { try FileStatus.of(destination.volumeFolder + "/intent") != nil }

    private var shelf: RecordShelf { RecordShelf(home: destination.volumeFolder) }

    // MARK: materialize

    /// Stages every file that differs, and decides the steps.
    func materialize(
        _ commit: Commit, tree: ObjectID, from contents: borrowing Contents, now: Int64,
        drifted: [TreePath], _ buildMode: BuildMode, keeping lostAndFound: LostAndFound
    ) throws -> StagedTree {
        try checkShowing()
        // What another layout shows has to be known as ours first, and the start may not have been able to take it over.
        if try destination.kind(in: pool).isTree {
            _ = try trees.recoverPool(keeping: lostAndFound)
            try takeOver(from: pool)
        }
        let (old, recovered) = try standing(keeping: lostAndFound)
        let standing = try FileStatus.of(destination.path)
        var base: TreePlan.Base?
        if let old, old.root == standing?.inode, old.recipe.makesFiles(like: options.recipe),
            try contents.repository.contains(old.tree)
        {
            base = TreePlan.Base(record: old, live: nil, dirty: drifted)
        }
        let plan = try TreePlan(
            to: tree, from: base, known: [old].compactMap { $0 }, in: contents, options: options,
            buildMode: buildMode)
        let name = "\(commit.id)"
        let staging = try Directory(opening: destination.volumeFolder).makeFolder(Self.stagingName, mode: 0o700)
        try staging.removeTree(EntryName(name))
        let has = { (leaf: Leaf) in old?.holds(leaf) ?? false }
        try plan.needs(isWhole: false, in: staging, from: contents, has: has).check(in: staging) {
            try plan.occupiedSpace(at: destination.path, in: staging, has: has)
        }
        do {
            // Only now: a commit that is refused leaves no folder where none was.
            let root = try Directory(making: destination.path)
            let inode = try root.status.inode
            var stage = FolderStage(
                plan: plan, old: old, isWhole: base == nil, drifted: Set(drifted), root: root,
                staging: try staging.makeFolder(EntryName(name), mode: 0o700), commit: commit, options: options,
                now: now, floor: try old?.removedFloor ?? pool.youngestTime(), buildMode: buildMode)
            try stage.run(from: contents)
            try stage.makeDurable()
            try staging.sync()
            var record = stage.record
            record.root = inode
            record.tree = tree
            var staged = StagedTree(
                record: record, place: .burst(Intent(staging: name, steps: try stage.steps(in: contents))),
                stage.output, of: plan, removed: stage.removals.count)
            staged.notices = recovered + staged.notices
            return staged
        } catch {
            try? staging.removeTree(EntryName(name))
            throw error
        }
    }

    /// What is published as far as it is known, after a burst that was interrupted has been finished. One that cannot be
    /// finished must not stand in the way of a commit that mends it: then each path is what it shows itself to be.
    private func standing(keeping lostAndFound: LostAndFound) throws -> (TreeRecord?, [Notice]) {
        guard try isInterrupted() else {
            // Staged for a publish that failed before its intent was written.
            return (try record(), try recoverBurst(keeping: lostAndFound))
        }
        do {
            let notices = try recoverBurst(keeping: lostAndFound)
            return (try record(), notices)
        } catch is DiskError {
            return (try giveUpBurst(keeping: lostAndFound), [])
        }
    }

    /// Replaces the record by one of what each path shows, then forgets the intent, in this order: with either of them the
    /// next start knows that DESTINATION is not what a commit has.
    private func giveUpBurst(keeping lostAndFound: LostAndFound) throws -> TreeRecord? {
        let home = try Directory(opening: destination.volumeFolder)
        guard let next = try shelf.read(Self.nextRecordName, in: home) else { return try record() }
        var mixed = try record() ?? next
        let folders = FolderCursor(root: try Directory(making: destination.path))
        var shown: [TreePath: RecordedEntry?] = [:]
        try next.rows.forEach { path, entry in
            guard mixed[path] != entry else { return }
            if entry.matches(try folders.folder(at: path.parent)?.status(path.name)) { shown[path] = entry }
        }
        mixed.apply(shown)
        mixed.removedFloor = max(mixed.removedFloor, next.removedFloor)
        mixed.root = 0
        try shelf.write(mixed, as: Self.recordName, in: home)
        try home.remove(Self.nextRecordName)
        try home.remove(Self.intentName)
        try home.sync()
        _ = try recoverBurst(keeping: lostAndFound)
        return mixed
    }

    // MARK: publish

    /// The first time it may be somebody's folder, with a `.git` of his anywhere.
    func publish(_ staged: StagedTree, keeping lostAndFound: LostAndFound) throws {
        guard case .burst(let intent) = staged.place else { return }
        let isAdopted = try record() != nil
        let made = try publish(intent, record: staged.record, keeping: lostAndFound)
        if !isAdopted { try moveForeignGit(except: made, keeping: lostAndFound) }
    }

    /// Writes the intent down, then carries it out.
    ///
    /// - Returns: the folders that it made.
    private func publish(
        _ intent: Intent, record: TreeRecord, keeping lostAndFound: LostAndFound
    ) throws -> Set<TreePath> {
        let home = try Directory(opening: destination.volumeFolder)
        do {
            try shelf.write(record, as: Self.nextRecordName, in: home)
            try home.replace(Self.intentName, with: intent.encoded())
        } catch {
            // The intent may stand although it could not be synced. What it stages goes after it, or a start would take
            // the missing files for placed ones.
            if (try? home.remove(Self.intentName)) != nil {
                try? home.folder(Self.stagingName)?.removeTree(EntryName(intent.staging))
            }
            throw error
        }
        return try carryOut(intent, home: home, keeping: lostAndFound)
    }

    func recover(keeping lostAndFound: LostAndFound) throws -> [Notice] {
        var notices = try trees.recoverPool(keeping: lostAndFound)
        // The image's, empty: it would tell the web server that nothing is published, for ever.
        if !destination.isVolumeFolderInside { rmdir(destination.path + "/.sidekick") }
        try takeOver(from: pool)
        notices += try recoverBurst(keeping: lostAndFound)
        if try record() != nil { try moveForeignGit(keeping: lostAndFound) }
        return notices
    }

    /// Finishes a burst that was interrupted, and removes what was staged for one that never began.
    func recoverBurst(keeping lostAndFound: LostAndFound) throws -> [Notice] {
        guard try FileStatus.of(destination.volumeFolder) != nil else { return [] }
        let home = try Directory(opening: destination.volumeFolder)
        var notices: [Notice] = []
        if try home.status(Self.intentName) != nil {
            if let intent = try home.read(Self.intentName, as: { try Intent(decoding: $0) }) {
                _ = try carryOut(intent, home: home, keeping: lostAndFound)
                notices.append(.recovered("finished an update that was interrupted, \(intent.steps.count) steps"))
            } else {
                try home.remove(Self.intentName)
                notices.append(.recovered("removed the intent of an update that cannot be read"))
            }
        }
        if let staging = try home.folder(Self.stagingName) {
            for name in try staging.names() { try Self.discard(name, in: staging, keeping: lostAndFound) }
        }
        return notices
    }

    /// Nothing of this layout is shown any more: what it knew would be taken for what stands there when it comes back. The
    /// intent first: with the record gone it would be carried out against nothing.
    static func forget(in home: Directory, keeping lostAndFound: LostAndFound) throws {
        for name in [intentName, nextRecordName, recordName] { try home.remove(name) }
        guard let staging = try home.folder(stagingName) else { return }
        for name in try staging.names() { try discard(name, in: staging, keeping: lostAndFound) }
    }

    /// Moves every `.git` below DESTINATION out of the way: no update need touch the folder that it is in.
    ///
    /// - Parameter made: folders in which nothing of anybody else's is.
    func moveForeignGit(except made: Set<TreePath> = [], keeping lostAndFound: LostAndFound) throws {
        guard try FileStatus.of(destination.path)?.kind == .folder else { return }
        try moveForeignGit(in: Directory(opening: destination.path), path: .root, except: made, keeping: lostAndFound)
    }

    /// One folder of each level is open at a time.
    private func moveForeignGit(
        in folder: Directory, path: TreePath, except made: Set<TreePath>, keeping lostAndFound: LostAndFound
    ) throws {
        for name in try folder.names() where name != EntryName(".sidekick") {
            if name == EntryName(".git") {
                try lostAndFound.move(name, from: folder, path: path.appending(name))
            } else if try !made.contains(path.appending(name)) && folder.status(name)?.kind == .folder {
                do {
                    guard let child = try folder.folder(name) else { continue }
                    try moveForeignGit(
                        in: child, path: path.appending(name), except: made, keeping: lostAndFound)
                } catch let error as DiskError where error.isPermission {
                    // Somebody's folder that we may not look into.
                    continue
                }
            }
        }
    }

    /// - Returns: the folders that it made.
    private func carryOut(
        _ intent: Intent, home: Directory, keeping lostAndFound: LostAndFound
    ) throws -> Set<TreePath> {
        let staging = try home.makeFolder(Self.stagingName, mode: 0o700)
        var burst = try FolderBurst(
            root: try Directory(making: destination.path),
            staged: try staging.makeFolder(EntryName(intent.staging), mode: 0o700),
            old: try shelf.read(Self.recordName, in: home), lostAndFound: lostAndFound)
        try burst.run(intent.steps)
        if try home.status(Self.nextRecordName) != nil {
            try home.rename(Self.nextRecordName, to: home, as: Self.recordName)
            try home.sync()
        }
        try home.remove(Self.intentName)
        try home.sync()
        try Self.discard(EntryName(intent.staging), in: staging, keeping: lostAndFound)
        return burst.made
    }

    /// Removes a staging folder; a folder in it that made way once stood at DESTINATION, so what is not ours in there is kept.
    private static func discard(_ name: EntryName, in staging: Directory, keeping lostAndFound: LostAndFound) throws {
        if let folder = try staging.folder(name) {
            for child in try folder.names()
            where try child.bytes.starts(with: FolderBurst.evicted.utf8) && folder.status(child)?.kind == .folder {
                try lostAndFound.move(child, from: folder, path: TreePath(bytes: child.bytes))
            }
        }
        try staging.removeTree(name)
    }
}

import Content
import Git
import Glibc
import Platform

/// Stages what a folder needs to become equal to a commit, and lists the steps of the burst.
struct FolderStage {
    let plan: TreePlan
    let old: TreeRecord?
    /// Whether the plan lists the whole new tree, because the old one cannot be read: then what stands on the disk decides.
    let isWhole: Bool
    /// Paths that are not what was published, whatever `lstat` says.
    let drifted: Set<TreePath>
    let staging: Directory
    let commit: Commit
    let options: PublishingOptions
    let now: Int64
    /// The youngest time, in seconds, of any file that was visible and is so no longer.
    let floor: Int64
    let buildMode: BuildMode

    private(set) var output = TreeBuild.Output()
    /// The rows that are new or other ones, `nil` for a path that is gone.
    private(set) var entries: [TreePath: RecordedEntry?] = [:]
    private let writer: LeafWriter
    private(set) var removals: [TreePath] = []
    private(set) var placements: [Placement] = []
    /// At a first publish only.
    private var newFolders: [NewFolder] = []
    /// Those that are made by several threads.
    private var files: [File] = []
    private(set) var emptyFolders: [TreePath] = []
    private let folders: FolderCursor

    init(
        plan: TreePlan, old: TreeRecord?, isWhole: Bool, drifted: Set<TreePath>, root: Directory, staging: Directory,
        commit: Commit, options: PublishingOptions, now: Int64, floor: Int64, buildMode: BuildMode
    ) {
        (self.floor, self.buildMode) = (floor, buildMode)
        self.plan = plan
        self.old = old
        self.isWhole = isWhole
        self.drifted = drifted
        self.staging = staging
        self.commit = commit
        self.options = options
        self.now = now
        folders = FolderCursor(root: root)
        writer = LeafWriter(
            durable: plan.changes.count <= Durability.maxSingleSyncs, limits: options.limits)
    }

    /// What is placed in one step, by its number in `staging`.
    struct Placement {
        let number: Int
        let path: TreePath
        var isPage: Bool
    }

    /// What will be published; its root and its tree are for the caller to say.
    var record: TreeRecord {
        var record = TreeRecord(
            layout: .folder, revision: Revision(commit: commit.id, recipe: options.recipe), tree: commit.tree, root: 0,
            published: now, removedFloor: floor)
        if let old {
            if !isWhole { record = record.following(old) }
            for path in isWhole ? wentAway : entries.keys.filter({ entries[$0]??.isFile != true }) {
                record.noteRemoval(of: old[path])
            }
        }
        record.apply(entries)
        return record
    }

    /// The paths of the old tree at which no file stands any more.
    private var wentAway: [TreePath] {
        var paths: [TreePath] = []
        old?.rows.forEach { path, _ in if entries[path]??.isFile != true { paths.append(path) } }
        return paths
    }

    mutating func run(from contents: borrowing Contents) throws {
        try checkFolders()
        for change in plan.changes {
            guard let leaf = change.new else {
                entries.updateValue(nil, forKey: change.path)
                stageRemoval(of: change.path)
                continue
            }
            switch leaf.kind {
            case .file: try stageFile(leaf)
            // Decided below, with the links that did not change.
            case .link: entries.updateValue(nil, forKey: leaf.path)
            case .submodule, .folder:
                entries[leaf.path] = RecordedEntry(kind: leaf.kind, content: leaf.content)
                emptyFolders.append(leaf.path)
            }
        }
        if isWhole {
            let new = Set(plan.changes.map(\.path))
            var gone: [TreePath] = []
            old?.rows.forEach { path, _ in if !new.contains(path) { gone.append(path) } }
            for path in gone { stageRemoval(of: path) }
        }
        try makeFiles(from: contents)
        for (path, link) in plan.links { try stageLink(link, at: path, from: contents) }
    }

    /// A burst that stops half-way is worse than one that never begins: every folder that it will write into must be on
    /// this file system and writable.
    private func checkFolders() throws {
        let device = try staging.status.device
        // Many that are not there yet will be made in one that is.
        var known: Set<TreePath> = []
        for path in plan.folders.union([.root]).sorted() {
            var path = path
            while try path != .root && folders.folder(at: path) == nil { path = path.parent }
            guard known.insert(path).inserted, let folder = try folders.folder(at: path) else { continue }
            guard try folder.status.device == device else { throw DiskError("rename into", folder.path, code: EXDEV) }
            guard faccessat(folder.descriptor, ".", W_OK | X_OK, AT_EACCESS) == 0 else {
                throw DiskError("write into", folder.path)
            }
        }
    }

    /// Only what was made: at the path of a link that was left out, anything that stands there is somebody else's.
    private mutating func stageRemoval(of path: TreePath) {
        guard let before = old?[path], before.inode != 0 || before.kind == .submodule else { return }
        removals.append(path)
    }

    /// A file to make in `staging`, under its number.
    private struct File: Sendable {
        let number: Int
        let leaf: Leaf
        /// Seconds since 1970.
        let time: Int64
    }

    private mutating func stageFile(_ leaf: Leaf) throws {
        let path = leaf.path
        let before = old?[path]
        try buildMode.check()
        if old == nil, try addToNewFolder(leaf) { return }
        let folder = try folders.folder(at: path.parent)
        let status = try folder?.status(leaf.name)
        // What somebody else put there is not moved away for a file that nobody asked for.
        if leaf.content.isCompressed, let folder, let status, before == nil,
            try !isLeft(path, status, in: folder)
        {
            return
        }
        if !drifted.contains(path), let folder, let status,
            let kept = try keeps(leaf, status, before, in: folder)
        {
            entries[path] = kept
            return
        }
        files.append(
            File(number: placements.count, leaf: leaf, time: time(of: leaf, before, status)))
        place(path, isPage: path.isPage)
    }

    /// Whether a folder is gone when all that was published in it is, as it is when something is placed last.
    private func isLeft(_ path: TreePath, _ status: FileStatus, in folder: Directory) throws -> Bool {
        guard status.kind == .folder, let folder = try folder.folder(path.name) else { return false }
        return try folder.names().allSatisfy { name in
            let path = path.appending(name)
            guard let status = try folder.status(name) else { return true }
            return try old?[path]?.matches(status) ?? isLeft(path, status, in: folder)
        }
    }

    private mutating func place(_ path: TreePath, isPage: Bool) {
        placements.append(Placement(number: placements.count, path: path, isPage: isPage))
    }

    /// - Returns: false where the folder that it goes into is there, or something is in its way.
    private mutating func addToNewFolder(_ leaf: Leaf) throws -> Bool {
        // In place: a copy of the last one would copy all its leaves.
        let last = newFolders.count - 1
        if last >= 0, leaf.path.isBelow(newFolders[last].path) {
            newFolders[last].leaves.append(leaf)
            if leaf.path.isPage { placements[newFolders[last].number].isPage = true }
            return true
        }
        var path = TreePath.root
        for name in leaf.path.components.dropLast() {
            guard let above = try folders.folder(at: path) else { return false }
            path = path.appending(name)
            guard let status = try above.status(name) else {
                newFolders.append(NewFolder(number: placements.count, path: path, leaves: [leaf]))
                place(path, isPage: leaf.path.isPage)
                return true
            }
            guard status.kind == .folder else { return false }
        }
        return false
    }

    /// So many at a time, that a thread has something to do and another one too.
    private static let filesAtATime = 32

    private mutating func makeFiles(from contents: borrowing Contents) throws {
        let (files, writer, staging, heartbeat) = (files, writer, staging, options.heartbeat)
        let pieces = stride(from: 0, to: files.count, by: Self.filesAtATime).map { start in
            start..<min(start + Self.filesAtATime, files.count)
        }
        output = try BuildThreads(buildMode: buildMode).run(pieces, count: files.count, from: contents) {
            piece, contents, output, check in
            for file in files[piece] {
                try check()
                heartbeat.beat()
                let row = try writer.writeFile(
                    file.leaf, as: EntryName("\(file.number)"), in: staging, mtime: file.time, from: contents,
                    &output)
                output.rows.append(RecordRow(path: file.leaf.path, entry: row))
            }
            return []
        }
        let (times, commit, now, floor) = (options.recipe.modificationTimes, commit.time, now, floor)
        output.add(
            try NewFolder.make(newFolders, in: staging, by: writer, buildMode, heartbeat, from: contents) { content in
                times.time(of: content, commit: commit, now: now, after: floor)
            })
        for row in output.rows { entries[row.path] = row.entry }
    }

    /// What stands there already, when its bytes and mode are the ones that the commit has.
    private func keeps(
        _ leaf: Leaf, _ status: FileStatus, _ before: RecordedEntry?, in folder: Directory
    ) throws -> RecordedEntry? {
        if let before, before.holds(leaf), before.matches(status) {
            return options.recipe.modificationTimes.accepts(before) ? before : nil
        }
        guard let isExecutable = leaf.isExecutable, status.kind == .file,
            status.permissions == FileModes.file(isExecutable: isExecutable), before?.matches(status) != true,
            let size = leaf.size, try folder.has(leaf.content, size: size, at: leaf.name)
        else { return nil }
        return RecordedEntry(leaf, status)
    }

    private func time(of leaf: Leaf, _ before: RecordedEntry?, _ status: FileStatus?) -> Int64 {
        if let before, before.content == leaf.content, before.isFile, options.recipe.modificationTimes.accepts(before) {
            return before.time
        }
        var floor = self.floor
        if let before, before.isFile { floor = before.time }
        if let status, status.kind == .file { floor = max(floor, status.mtime / 1_000_000_000) }
        return options.recipe.modificationTimes.time(of: leaf.content, commit: commit.time, now: now, after: floor)
    }

    private mutating func stageLink(
        _ link: TreePlan.Link, at path: TreePath, from contents: borrowing Contents
    ) throws {
        let leaf = Leaf(path: path, kind: .link, content: link.content)
        if let before = old?[path], before.holds(leaf),
            link.isAllowed == (before.inode != 0),
            before.matches(try folders.folder(at: path.parent)?.status(path.name))
        {
            entries[path] = before
            return
        }
        guard link.isAllowed else {
            entries[path] = RecordedEntry(kind: .link, content: link.content)
            stageRemoval(of: path)
            return
        }
        let number = placements.count
        entries[path] = try writer.makeLink(
            leaf, as: EntryName("\(number)"), in: staging, from: contents)
        place(path, isPage: path.isPage)
    }

    func makeDurable() throws {
        if writer.durable { try staging.sync() } else { try staging.syncFileSystem() }
    }
}

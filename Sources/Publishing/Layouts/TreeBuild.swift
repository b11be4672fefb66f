import Git
import Glibc

/// Makes one whole tree below a new folder.
struct TreeBuild {
    let plan: TreePlan
    let old: TreeRecord?
    let live: FolderCursor?
    let root: Directory
    let commit: Commit
    let options: PublishingOptions
    let now: Int64

    private(set) var writer: BlobWriter
    private(set) var entries: [TreePath: RecordedEntry] = [:]
    private let folders: FolderCursor

    /// Up to so many new files and folders are synced one by one; more of them by one sync of the file system.
    static let mostSingleSyncs = 1_000

    init(
        plan: TreePlan, old: TreeRecord?, live: Directory?, root: Directory, commit: Commit,
        options: PublishingOptions, now: Int64
    ) {
        self.plan = plan
        self.old = old
        self.live = live.map { FolderCursor(root: $0) }
        self.root = root
        self.commit = commit
        self.options = options
        self.now = now
        folders = FolderCursor(root: root)
        let changed = plan.changes.count { $0.new?.id != old?.entries[$0.path]?.id }
        writer = BlobWriter(durable: changed + plan.folders.count <= Self.mostSingleSyncs)
        entries.reserveCapacity(plan.changes.count)
    }

    var notices: [Notice] { writer.lfsPointers > 0 ? [.lfsPointers(count: writer.lfsPointers)] : [] }

    mutating func run(from repository: borrowing Repository) throws {
        for change in plan.changes {
            guard let entry = change.new else { continue }
            let folder = try folders.makeFolder(at: change.path.parent)
            switch entry.kind {
            case .file: entries[change.path] = try makeFile(entry, at: change.path, in: folder, from: repository)
            case .link: entries[change.path] = try makeLink(entry, at: change.path, in: folder, from: repository)
            case .submodule:
                let made = try folder.makeFolder(entry.name)
                entries[change.path] = RecordedEntry(entry, try made.status)
            case .folder: break
            }
        }
    }

    /// By hard link when the live tree has the same bytes and mode and nobody touched them, else from the blob.
    private mutating func makeFile(
        _ entry: TreeEntry, at path: TreePath, in folder: Directory, from repository: borrowing Repository
    ) throws -> RecordedEntry {
        let before = old?.entries[path]
        if let before, before.id == entry.id, before.kind == entry.kind,
            options.modificationTimes.accepts(before), let source = try live?.folder(at: path.parent),
            before.matches(try source.status(entry.name)),
            try source.link(entry.name, to: folder, as: entry.name)
        {
            return before
        }
        let mtime = time(of: entry, after: before)
        return try writer.write(entry, as: entry.name, in: folder, mtime: mtime, from: repository)
    }

    private func time(of entry: TreeEntry, after before: RecordedEntry?) -> Int64 {
        if let before, before.id == entry.id, case .file = before.kind, options.modificationTimes.accepts(before) {
            return before.mtime / 1_000_000_000
        }
        var floor = old?.removedFloor ?? 0
        if let before, case .file = before.kind { floor = before.mtime / 1_000_000_000 }
        return options.modificationTimes.time(of: entry.id, commit: commit.time, now: now, after: floor)
    }

    private func makeLink(
        _ entry: TreeEntry, at path: TreePath, in folder: Directory, from repository: borrowing Repository
    ) throws -> RecordedEntry {
        guard plan.links[path]?.isAllowed == true else { return RecordedEntry(kind: .link, id: entry.id) }
        let target = try repository.withBlob(entry.id) { Array($0) }
        try folder.makeLink(entry.name, target: target)
        guard let status = try folder.status(entry.name) else {
            throw DiskError("look at", folder.pathOf(entry.name), code: ENOENT)
        }
        return RecordedEntry(entry, status)
    }

    func makeDurable() throws {
        guard writer.durable else { return try root.syncFileSystem() }
        for path in plan.folders.union([.root]) {
            // Every folder on the way has a new entry too.
            var path = path
            while true {
                try folders.folder(at: path)?.sync()
                if path == .root || plan.folders.contains(path.parent) { break }
                path = path.parent
            }
        }
    }
}

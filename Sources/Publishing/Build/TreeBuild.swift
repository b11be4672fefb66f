import Dispatch
import Git
import Glibc
import Platform
import Synchronization

/// Makes leaves, and the folders that they are in, where nobody sees them yet: unchanged files by hard link from the tree
/// that is visible, the others from their blobs, by several threads.
struct TreeBuild: Sendable {
    let commit: Commit
    let options: PublishingOptions
    /// Seconds since 1970.
    let now: Int64
    /// What is visible now.
    let visible: TreeRecord?
    /// Paths of it that are not what was published, whatever `lstat` says.
    var drifted: Set<TreePath> = []
    /// Whether each file is on the disk before the next is begun.
    let durable: Bool
    var pace = Pace.pass
    private let budget: BlobBudget

    init(
        commit: Commit, options: PublishingOptions, now: Int64, visible: TreeRecord?, drifted: Set<TreePath> = [],
        durable: Bool, pace: Pace = .pass
    ) {
        (self.commit, self.options, self.now, self.visible) = (commit, options, now, visible)
        (self.drifted, self.durable, self.pace) = (drifted, durable, pace)
        budget = BlobBudget(options.limits.blob)
    }

    /// What was made.
    struct Output: Sendable {
        var rows: [TreePath: RecordedEntry] = [:]
        var filesWritten = 0
        var bytesWritten: Int64 = 0
        var lfsPointers = 0
        /// Files of the visible tree that are not what was published.
        var drifted: [TreePath] = []

        mutating func add(_ other: Output) {
            rows.merge(other.rows) { $1 }
            filesWritten += other.filesWritten
            bytesWritten += other.bytesWritten
            lfsPointers += other.lfsPointers
            drifted += other.drifted
        }
    }

    /// A folder to make, and its counterpart in the visible tree.
    private struct Work: Sendable {
        let node: FolderNode
        let parent: Directory?
        let source: Directory?
    }

    /// For fewer leaves one thread is as fast.
    private static let leastForThreads = 64
    /// More threads than this wait for the disk, and each holds a repository open.
    private static let mostThreads = 4

    /// - Parameters:
    ///   - root: the folder of the new tree.
    ///   - source: the folder of the visible tree.
    func run(
        _ leaves: [(path: TreePath, entry: TreeEntry)], in root: Directory, source: Directory?,
        from repository: borrowing Repository
    ) throws -> Output {
        guard !leaves.isEmpty else { return Output() }
        let stack = WorkStack([Work(node: FolderNode(leaves), parent: nil, source: source)])
        let isAlone = leaves.count < Self.leastForThreads || !pace.usesThreads
        let helpers = isAlone ? 0 : min(Self.mostThreads, processors) - 1
        let open = repository.again
        let outputs = OutputBox()
        let group = DispatchGroup()
        for _ in 0..<helpers {
            DispatchQueue.global().async(group: group) {
                DiskThread.run {
                    do {
                        let repository = try open()
                        outputs.add(self.work(on: stack, root: root, from: repository) { try stack.check() })
                    } catch {
                        stack.fail(error)
                    }
                }
            }
        }
        // Only this thread is the task's, and knows when it was cancelled; its failure ends the others.
        outputs.add(
            work(on: stack, root: root, from: repository) {
                try pace.check()
                try stack.check()
            })
        group.wait()
        try stack.check()
        return outputs.value
    }

    private var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    private func work(
        on stack: WorkStack<Work>, root: Directory, from repository: borrowing Repository,
        check: () throws -> Void
    ) -> Output {
        var output = Output()
        stack.work { work in
            let node = work.node
            let folder = try work.parent?.makeFolder(node.name) ?? root
            let source = work.parent == nil ? work.source : try work.source?.folder(node.name)
            for leaf in node.leaves {
                try check()
                options.heartbeat.beat()
                let row = try make(leaf.entry, at: leaf.path, in: folder, source: source, from: repository, &output)
                output.rows[leaf.path] = row
            }
            try check()
            return node.children.map { Work(node: $0, parent: folder, source: source) }
        }
        return output
    }

    private func make(
        _ entry: TreeEntry, at path: TreePath, in folder: Directory, source: Directory?,
        from repository: borrowing Repository, _ output: inout Output
    ) throws -> RecordedEntry {
        let before = visible?[path]
        if entry.kind == .submodule { return RecordedEntry(entry, try folder.makeFolder(entry.name).status) }
        if let before, before.id == entry.id, before.kind == entry.kind, before.inode != 0, let source,
            !before.isFile || options.modificationTimes.accepts(before)
        {
            let isKnown = drifted.contains(path)
            if !isKnown, before.matches(try source.status(entry.name)) {
                if try source.link(entry.name, to: folder, as: entry.name) { return before }
            } else if !isKnown {
                output.drifted.append(path)
            }
        }
        if entry.kind == .link { return try makeLink(entry, in: folder, from: repository) }
        return try writeFile(entry, in: folder, mtime: time(of: entry, after: before), from: repository, &output)
    }

    private func writeFile(
        _ entry: TreeEntry, in folder: Directory, mtime: Int64, from repository: borrowing Repository,
        _ output: inout Output
    ) throws -> RecordedEntry {
        func write(_ repository: borrowing Repository) throws -> (row: RecordedEntry, isLFSPointer: Bool) {
            try repository.writeBlob(entry, as: entry.name, in: folder, mtime: mtime, durable: durable)
        }
        let size = try repository.size(of: entry.id)
        let row: RecordedEntry
        let isPointer: Bool
        do {
            (row, isPointer) = try budget.withRoom(for: size) { try write(repository) }
        } catch let error as GitError where error.exceeded?.kind == .memory {
            (row, isPointer) = try budget.alone { try write(repository) }
        }
        output.filesWritten += 1
        output.bytesWritten += row.size
        if isPointer { output.lfsPointers += 1 }
        return row
    }

    private func makeLink(
        _ entry: TreeEntry, in folder: Directory, from repository: borrowing Repository
    ) throws -> RecordedEntry {
        let target = try repository.withBlob(entry.id) { Array($0) }
        try folder.makeLink(entry.name, target: target)
        guard let status = try folder.status(entry.name) else {
            throw DiskError("look at", folder.pathOf(entry.name), code: ENOENT)
        }
        return RecordedEntry(entry, status)
    }

    /// Seconds since 1970. The same bytes keep their time; other bytes at the same path get a younger one.
    func time(of entry: TreeEntry, after before: RecordedEntry?) -> Int64 {
        if let before, before.id == entry.id, before.isFile, options.modificationTimes.accepts(before) {
            return before.time
        }
        let floor = before.flatMap { $0.isFile ? $0.time : nil } ?? visible?.removedFloor ?? 0
        return options.modificationTimes.time(of: entry.id, commit: commit.time, now: now, after: floor)
    }
}

/// Where threads leave what they made.
private final class OutputBox: Sendable {
    private let sum = Mutex(TreeBuild.Output())

    func add(_ output: TreeBuild.Output) { sum.withLock { $0.add(output) } }
    var value: TreeBuild.Output { sum.withLock { $0 } }
}

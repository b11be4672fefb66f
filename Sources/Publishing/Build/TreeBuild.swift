import Content
import Git
import Glibc

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
    let writer: LeafWriter
    /// The youngest time, in seconds, that a file may have had that is not visible: what comes in its place must be younger.
    private let floor: Int64
    var buildMode = BuildMode.pass

    /// Whether each file is on the disk before the next is begun.
    var durable: Bool { writer.durable }

    init(
        commit: Commit, options: PublishingOptions, now: Int64, visible: TreeRecord?, drifted: Set<TreePath> = [],
        floor: Int64? = nil, durable: Bool, buildMode: BuildMode = .pass
    ) {
        self.floor = floor ?? visible?.removedFloor ?? 0
        (self.commit, self.options, self.now, self.visible) = (commit, options, now, visible)
        (self.drifted, self.buildMode) = (drifted, buildMode)
        writer = LeafWriter(durable: durable, limits: options.limits)
    }

    /// What was made.
    struct Output: Sendable {
        var rows: [RecordRow] = []
        var filesWritten = 0
        var bytesWritten: Int64 = 0
        var lfsPointers = 0
        /// Files of the visible tree that are not what was published.
        var drifted: [TreePath] = []

        mutating func add(_ other: Output) {
            rows += other.rows
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

    /// - Parameters:
    ///   - root: the folder of the new tree.
    ///   - source: the folder of the visible tree.
    func run(
        _ leaves: [Leaf], in root: Directory, source: Directory?, from contents: borrowing Contents
    ) throws -> Output {
        let first = Work(node: FolderNode(leaves), parent: nil, source: source)
        return try BuildThreads(buildMode: buildMode).run([first], count: leaves.count, from: contents) {
            work, contents, output, check in
            let node = work.node
            let folder = try work.parent?.makeFolder(node.name) ?? root
            let source = work.parent == nil ? work.source : try work.source?.folder(node.name)
            for leaf in node.leaves {
                try check()
                options.heartbeat.beat()
                let row = try make(leaf, in: folder, source: source, from: contents, &output)
                output.rows.append(RecordRow(path: leaf.path, entry: row))
            }
            try check()
            return node.children.map { Work(node: $0, parent: folder, source: source) }
        }
    }

    private func make(
        _ leaf: Leaf, in folder: Directory, source: Directory?, from contents: borrowing Contents,
        _ output: inout Output
    ) throws -> RecordedEntry {
        let before = visible?[leaf.path]
        if leaf.kind == .submodule { return RecordedEntry(leaf, try folder.makeFolder(leaf.name).status) }
        if let before, before.holds(leaf), before.inode != 0, let source,
            !before.isFile || options.recipe.modificationTimes.accepts(before)
        {
            let isKnown = drifted.contains(leaf.path)
            if !isKnown, before.matches(try source.status(leaf.name)) {
                if try source.link(leaf.name, to: folder, as: leaf.name) { return before }
            } else if !isKnown {
                output.drifted.append(leaf.path)
            }
        }
        if leaf.kind == .link { return try writer.makeLink(leaf, as: leaf.name, in: folder, from: contents) }
        return try writer.writeFile(
            leaf, as: leaf.name, in: folder, mtime: time(of: leaf, after: before), from: contents, &output)
    }

    /// Seconds since 1970. The same bytes keep their time; other bytes at the same path get a younger one.
    func time(of leaf: Leaf, after before: RecordedEntry?) -> Int64 {
        if let before, before.content == leaf.content, before.isFile, options.recipe.modificationTimes.accepts(before) {
            return before.time
        }
        let floor = before.flatMap { $0.isFile ? $0.time : nil } ?? self.floor
        return options.recipe.modificationTimes.time(of: leaf.content, commit: commit.time, now: now, after: floor)
    }
}

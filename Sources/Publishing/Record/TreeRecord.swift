import Content
import Git

/// What one published file was when it was published.
struct RecordedEntry: Equatable {
    let kind: EntryKind
    let content: ContentID
    let size: Int64
    /// Nanoseconds since 1970.
    let mtime: Int64
    /// 0 for what is in the commit but was not made: a link that leads out of the tree.
    let inode: UInt64

    init(kind: EntryKind, content: ContentID, size: Int64 = 0, mtime: Int64 = 0, inode: UInt64 = 0) {
        self.kind = kind
        self.content = content
        self.size = size
        self.mtime = mtime
        self.inode = inode
    }

    init(_ leaf: Leaf, _ status: FileStatus) {
        self.init(
            kind: leaf.kind, content: leaf.content, size: status.size, mtime: status.mtime, inode: status.inode)
    }

    /// Whether it has the bytes and the mode that a leaf is to have.
    func holds(_ leaf: Leaf) -> Bool { content == leaf.content && kind == leaf.kind }

    var isFile: Bool { if case .file = kind { true } else { false } }

    /// A symbolic link that stands on the disk, not one that was left out.
    var isMadeLink: Bool { kind == .link && inode != 0 }

    /// Seconds since 1970.
    var time: Int64 { mtime / 1_000_000_000 }

    /// Whether what stands there is, as far as `lstat` tells, what was published.
    func matches(_ status: FileStatus?) -> Bool {
        guard let status else { return inode == 0 && kind == .link }
        switch kind {
        // A folder has no bytes, and one of each tree its own inode.
        case .submodule, .folder: return status.kind == .folder
        case .file(let executable):
            return status.kind == .file && status.inode == inode && status.size == size && status.mtime == mtime
                && status.permissions == FileModes.file(isExecutable: executable)
        case .link:
            return status.kind == .link && status.inode == inode && status.size == size && status.mtime == mtime
        }
    }
}

/// What was published: one per tree. It tells our files from others', and unchanged ones from touched ones, by a stat.
struct TreeRecord: Sendable {
    /// How DESTINATION shows the tree.
    var layout: LayoutKind
    var revision: Revision
    /// The tree that was published: the commit's, or that of the subdirectory.
    var tree: ObjectID
    /// The inode of the folder that holds it: a record follows its folder, whatever that is called.
    var root: UInt64
    /// Seconds since 1970.
    var published: Int64
    /// The youngest time, in seconds, of any file that was ever removed: the floor for a path that comes back.
    var removedFloor: Int64 = 0
    /// Files, links and submodules.
    private(set) var count = Count()
    private(set) var rows: RecordRows

    /// Sums over all rows, kept so that nothing needs to read them all.
    struct Count: Equatable, Sendable {
        var entries = 0
        var files = 0
        var bytes: Int64 = 0
        var links = 0
        /// Files of Git LFS.
        var objects = 0
        /// Their bytes.
        var objectBytes: Int64 = 0
        /// Files that no repository has.
        var compressed = 0
        /// Their bytes.
        var compressedBytes: Int64 = 0

        mutating func add(_ entry: RecordedEntry, _ sign: Int) {
            entries += sign
            if entry.content.isLFS {
                objects += sign
                objectBytes += Int64(sign) * entry.size
            }
            if entry.content.isCompressed {
                compressed += sign
                compressedBytes += Int64(sign) * entry.size
            }
            bytes += Int64(sign) * entry.size
            if entry.isFile { files += sign }
            if entry.kind == .link { links += sign }
        }
    }

    subscript(path: TreePath) -> RecordedEntry? { rows[path] }

    var commit: ObjectID { revision.commit }
    var recipe: Recipe { revision.recipe }

    /// Every symbolic link of the tree, made or left out.
    var links: [TreePath: RecordedEntry] {
        var links: [TreePath: RecordedEntry] = [:]
        guard count.links > 0 else { return links }
        rows.forEach { if $1.kind == .link { links[$0] = $1 } }
        return links
    }

    /// A record of another commit in which these rows are different; the cost follows the changes.
    ///
    /// - Parameter changes: a path's new row, or `nil` for one that is removed.
    mutating func apply(_ changes: [TreePath: RecordedEntry?]) {
        apply(changes.map { RecordRow(path: $0.key, entry: $0.value) })
    }

    /// The same of rows in any order, each path once.
    mutating func apply(_ changes: [RecordRow]) {
        guard !changes.isEmpty else { return }
        for row in changes {
            if let old = rows[row.path] { count.add(old, -1) }
            if let entry = row.entry { count.add(entry, 1) }
        }
        rows = RecordRows(segments: [RecordSegment(changes.sorted { $0.path < $1.path })] + rows.segments)
    }

    /// The youngest time, in seconds, of any file that it has or had.
    var youngestTime: Int64 {
        var youngest = removedFloor
        rows.forEach { _, row in if row.isFile { youngest = max(youngest, row.time) } }
        return youngest
    }

    /// Takes note of a file that was visible and is so no longer.
    mutating func noteRemoval(of entry: RecordedEntry?) {
        if let entry, entry.isFile { removedFloor = max(removedFloor, entry.time) }
    }

    init(
        layout: LayoutKind, revision: Revision, tree: ObjectID, root: UInt64, published: Int64,
        removedFloor: Int64 = 0, count: Count = Count(), rows: RecordRows = .none
    ) {
        self.layout = layout
        self.revision = revision
        self.tree = tree
        self.root = root
        self.published = published
        self.removedFloor = removedFloor
        self.count = count
        self.rows = rows
    }

    /// The same record with the rows of another one.
    func following(_ other: TreeRecord) -> TreeRecord {
        var record = with(other.rows)
        record.count = other.count
        return record
    }

    /// The same record in other segments.
    func with(_ rows: RecordRows) -> TreeRecord {
        var record = self
        record.rows = rows
        return record
    }
}

extension TreeRecord {
    /// Whether a leaf is there with the bytes and the mode that it is to have.
    func holds(_ leaf: Leaf) -> Bool { self[leaf.path]?.holds(leaf) ?? false }
}

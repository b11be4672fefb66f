import Git

/// What one published file was when it was published.
struct RecordedEntry: Equatable {
    let kind: EntryKind
    let id: ObjectID
    let size: Int64
    /// Nanoseconds since 1970.
    let mtime: Int64
    /// 0 for what is in the commit but was not made: a link that leads out of the tree.
    let inode: UInt64

    init(kind: EntryKind, id: ObjectID, size: Int64 = 0, mtime: Int64 = 0, inode: UInt64 = 0) {
        self.kind = kind
        self.id = id
        self.size = size
        self.mtime = mtime
        self.inode = inode
    }

    init(_ entry: TreeEntry, _ status: FileStatus) {
        self.init(kind: entry.kind, id: entry.id, size: status.size, mtime: status.mtime, inode: status.inode)
    }

    /// A symbolic link that stands on the disk, not one that was left out.
    var isMadeLink: Bool { kind == .link && inode != 0 }

    /// Whether what stands there is, as far as `lstat` tells, what was published.
    func matches(_ status: FileStatus?) -> Bool {
        guard let status else { return inode == 0 }
        guard status.inode == inode, status.size == size, status.mtime == mtime else { return false }
        switch kind {
        case .file(let executable): return status.kind == .file && status.permissions == BlobWriter.mode(executable)
        case .link: return status.kind == .link
        case .submodule, .folder: return status.kind == .folder
        }
    }
}

/// What was published: one per tree. It tells our files from others', and unchanged ones from touched ones, by a stat.
struct TreeRecord: Equatable {
    var commit: ObjectID
    /// The tree that was published: the commit's, or that of the subdirectory.
    var tree: ObjectID
    var subdirectory: String
    /// How it was published: what else must be the same for the same commit to need no other tree.
    var policy: String
    /// The inode of the folder that holds it; 0 where a name in `trees` says which it is.
    var root: UInt64 = 0
    /// Seconds since 1970.
    var published: Int64
    /// The youngest time, in seconds, of any file that was ever removed: the floor for a path that comes back.
    var removedFloor: Int64 = 0
    var entries: [TreePath: RecordedEntry] = [:]

    var fileCount: Int { entries.values.count { if case .file = $0.kind { true } else { false } } }
    var byteCount: Int64 { entries.values.reduce(0) { $0 + $1.size } }

    /// Takes note of every file of an older record that no longer stands at its path as a file.
    mutating func noteRemovals(since old: TreeRecord?) {
        guard let old else { return }
        removedFloor = max(removedFloor, old.removedFloor)
        for (path, entry) in old.entries {
            guard case .file = entry.kind else { continue }
            if case .file = entries[path]?.kind { continue }
            removedFloor = max(removedFloor, entry.mtime / 1_000_000_000)
        }
    }
}

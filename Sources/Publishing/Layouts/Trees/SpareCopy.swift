import Git
import Glibc

/// Makes a spare of the visible tree, of hard links: so that the next update has something to bring forward. Done between
/// passes, and given up at once when there is something better to do.
struct SpareCopy {
    let pool: TreePool
    let visible: VisibleTree
    let isStopped: () -> Bool

    /// What a copy that was stopped leaves, too: nothing waits for its removal.
    static let temporary = EntryName(".new-spare")

    /// - Returns: whether it was made.
    func run() throws -> Bool {
        let trees = try pool.trees
        let temporary = Self.temporary
        guard try trees.removeTree(temporary, isStopped: isStopped) else { return false }
        do {
            let root = try trees.makeFolder(temporary)
            // Something better to do: what was made so far is removed when there is time again.
            guard let (changes, dirty, folders) = try copy(to: root), try sync(root, folders, changes) else {
                return false
            }
            var record = visible.record
            record.root = try root.status.inode
            record.apply(changes)
            let name = try pool.freeName(for: record.commit)
            if !dirty.isEmpty { try pool.noteDirty(dirty, of: name) }
            _ = try pool.add(temporary, as: name, record, neverLive: true)
            return true
        } catch {
            try? trees.removeTree(temporary)
            throw error
        }
    }

    /// An update syncs only the folders that it changes. The others are on the disk before it begins.
    ///
    /// - Returns: whether it was not stopped.
    private func sync(_ root: Directory, _ folders: Set<TreePath>, _ copied: [TreePath: RecordedEntry?]) throws -> Bool
    {
        let durability = Durability(everything: !copied.isEmpty || folders.count > Durability.maxSingleSyncs)
        return try durability.sync(root, folders: folders, isStopped: isStopped)
    }

    private typealias Copied = (changes: [TreePath: RecordedEntry?], dirty: [TreePath], folders: Set<TreePath>)

    /// - Returns: the rows that differ, the paths that are not what they should be, and the folders; `nil` when it was stopped.
    private func copy(to root: Directory) throws -> Copied? {
        let (from, to) = (FolderCursor(root: visible.folder), FolderCursor(root: root))
        var changes: [TreePath: RecordedEntry?] = [:]
        var dirty: [TreePath] = []
        var folders: Set<TreePath> = []
        struct Stopped: Error {}
        do {
            try visible.record.rows.forEach { path, row in
                if isStopped() { throw Stopped() }
                guard row.inode != 0 else { return }
                let folder = try to.makeFolder(at: path.parent)
                folders.insert(path.parent)
                guard row.kind != .submodule else {
                    _ = try folder.makeFolder(path.name)
                    return
                }
                guard let source = try from.folder(at: path.parent), row.matches(try source.status(path.name)) else {
                    dirty.append(path)
                    return
                }
                guard try !source.link(path.name, to: folder, as: path.name) else { return }
                if let copied = try source.copy(path.name, as: row, to: folder) {
                    changes[path] = copied
                } else {
                    dirty.append(path)
                }
            }
        } catch is Stopped {
            return nil
        }
        return (changes, dirty, folders)
    }
}

extension Directory {
    /// A copy with the same bytes, mode and time; `nil` for what is neither a file nor a link any more.
    fileprivate func copy(_ name: EntryName, as row: RecordedEntry, to folder: Directory) throws -> RecordedEntry? {
        let status: FileStatus?
        switch row.kind {
        case .file(let executable):
            guard let found = try self.status(name), found.kind == .file else { return nil }
            try copyFile(
                name, to: folder, as: name, mode: FileModes.file(isExecutable: executable), mtime: row.time,
                durable: false)
            status = try folder.status(name)
        case .link:
            guard let target = try readLink(name) else { return nil }
            try folder.makeLink(name, target: target)
            status = try folder.status(name)
        case .submodule, .folder: return nil
        }
        return status.map {
            RecordedEntry(kind: row.kind, content: row.content, size: $0.size, mtime: $0.mtime, inode: $0.inode)
        }
    }
}

import Content
import Git
import Glibc

/// Takes away what stands where something else will: in a tree that nobody sees. Of it, what is not ours is kept.
struct PathRemoval {
    private let root: Directory
    private let record: TreeRecord
    /// Paths at which anything may stand, all of it ours.
    private let dirty: Set<TreePath>
    private let lostAndFound: LostAndFound
    private let folders: FolderCursor
    private let buildMode: BuildMode

    init(root: Directory, record: TreeRecord, dirty: Set<TreePath>, lostAndFound: LostAndFound, buildMode: BuildMode) {
        self.root = root
        self.record = record
        self.dirty = dirty
        self.lostAndFound = lostAndFound
        folders = FolderCursor(root: root)
        self.buildMode = buildMode
    }

    /// Removals first, so that a folder whose last file goes can become a file.
    ///
    /// - Parameter keeps: what may stay as it is.
    /// - Returns: what stayed.
    func run(
        _ changes: [TreePlan.Change], keeps: (Leaf) -> RecordedEntry?
    ) throws -> [TreePath: RecordedEntry] {
        for change in changes where change.new == nil { try clear(change.path, keepingFolder: change.isFolder) }
        let emptied = Set(changes.lazy.filter { $0.new == nil }.map(\.path.parent))
        // The deepest first: one that goes may empty the one above it.
        for folder in emptied.sorted().reversed() { try removeEmptyFolders(from: folder) }
        var kept: [TreePath: RecordedEntry] = [:]
        for change in changes {
            try buildMode.check()
            guard let leaf = change.new else { continue }
            if let row = keeps(leaf),
                row.matches(try folders.folder(at: change.path.parent)?.status(leaf.name))
            {
                kept[change.path] = row
            } else {
                try clear(change.path)
                try openWay(to: change.path.parent)
            }
        }
        return kept
    }

    /// The folders of these that are there; of one that is gone, the one that it was in.
    func existingFolders(_ paths: Set<TreePath>) throws -> Set<TreePath> {
        var standing: Set<TreePath> = []
        // Folders were made since.
        folders.rewind()
        for var path in paths {
            while path != .root, try folders.folder(at: path) == nil { path = path.parent }
            standing.insert(path)
        }
        return standing
    }

    private func clear(_ path: TreePath, keepingFolder: Bool = false) throws {
        guard let folder = try folders.folder(at: path.parent), let status = try folder.status(path.name) else {
            return
        }
        if status.kind == .folder {
            if keepingFolder { return }
            folders.rewind()
            if try folder.removeFolder(path.name) { return }
            try folder.retire(path.name, record: record, path: path, dirty: dirty, keeping: lostAndFound)
            try folder.removeTree(path.name)
        } else if try dirty.contains(path) || folder.isOurs(path.name, status, record[path]) {
            try folder.remove(path.name)
        } else {
            try lostAndFound.move(path.name, from: folder, path: path)
        }
    }

    /// What is no folder makes way for one.
    private func openWay(to path: TreePath) throws {
        guard path != .root, try folders.folder(at: path) == nil else { return }
        try openWay(to: path.parent)
        guard let above = try folders.folder(at: path.parent), let status = try above.status(path.name) else { return }
        if status.kind != .folder { try clear(path) }
    }

    private func removeEmptyFolders(from path: TreePath) throws {
        var path = path
        while path != .root {
            guard let above = try folders.folder(at: path.parent) else {
                path = path.parent
                continue
            }
            folders.rewind()
            if try !above.removeFolder(path.name), try above.status(path.name) != nil { return }
            path = path.parent
        }
    }
}

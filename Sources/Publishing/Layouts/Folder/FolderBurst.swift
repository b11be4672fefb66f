import Content
import Git
import Glibc

/// Carries out an intent. It may have been begun before: a staged file that is gone was placed, a path that is gone was
/// removed.
struct FolderBurst {
    private let root: Directory
    private let staged: Directory
    private let old: TreeRecord?
    private let lostAndFound: LostAndFound
    private let folders: FolderCursor
    private var touched: Set<TreePath> = []
    /// Folders that this run made: what is in them is its own.
    private(set) var made: Set<TreePath> = []
    /// What was staged and not placed when this run began.
    private let waiting: Set<EntryName>

    /// How the names of folders begin that made way, in `staging`.
    static let evicted = "evicted-"

    init(root: Directory, staged: Directory, old: TreeRecord?, lostAndFound: LostAndFound) throws {
        self.root = root
        self.staged = staged
        self.old = old
        self.lostAndFound = lostAndFound
        folders = FolderCursor(root: root)
        waiting = Set(try staged.names())
    }

    mutating func run(_ steps: [Intent.Step]) throws {
        try moveForeignGit(in: root, path: .root)
        // What was placed by a run that was killed stands: what makes room for it comes before it, and was done.
        let placed = Set(
            steps.compactMap { step in
                if case .place(let number, let path) = step, !waiting.contains(EntryName("\(number)")) {
                    path
                } else {
                    nil
                }
            })
        for step in steps {
            switch step {
            case .place(let number, let path): try place(EntryName("\(number)"), at: path)
            case .remove(let path): if !placed.contains(path) { try remove(path) }
            case .makeFolder(let path): _ = try openFolder(at: path)
            }
        }
        try makeDurable()
    }

    private mutating func place(_ file: EntryName, at path: TreePath) throws {
        let evicted = EntryName(Self.evicted + "\(file)")
        var evicts = waiting.contains(evicted)
        if evicts { try retire(evicted, from: path) }
        guard waiting.contains(file) else { return }
        let folder = try openFolder(at: path.parent)
        if !made.contains(path.parent), let status = try folder.status(path.name) {
            if status.kind == .folder {
                try folder.rename(path.name, to: staged, as: evicted)
                folders.rewind()
                evicts = true
            } else if try !folder.isOurs(path.name, status, old?[path]),
                try !isSame(file, path.name, in: folder)
            {
                do {
                    try lostAndFound.keepCopy(of: path.name, in: folder, path: path)
                } catch let error as DiskError where error.isUnreadable {
                    // It can be neither linked nor read, only moved: the path is absent for a moment, and nothing is lost.
                    try lostAndFound.move(path.name, from: folder, path: path)
                }
            }
        }
        // Only where nothing was published before are folders made whole.
        let isFolder = try old == nil && staged.status(file)?.kind == .folder
        try staged.rename(file, to: folder, as: path.name)
        if isFolder { made.insert(path) }
        if evicts { try retire(evicted, from: path) }
    }

    /// The same bytes under another mode or time are nothing to keep.
    private func isSame(_ file: EntryName, _ name: EntryName, in folder: Directory) throws -> Bool {
        guard let status = try staged.status(file), status.kind == .file, let bytes = try staged.read(file) else {
            return false
        }
        let id = bytes.withUnsafeBytes { ObjectID(hashing: $0) }
        return try folder.has(.blob(id), size: status.size, at: name)
    }

    /// A folder that made way for a file left in one rename. Of it, what is not ours is kept.
    private func retire(_ evicted: EntryName, from path: TreePath) throws {
        guard try staged.status(evicted) != nil else { return }
        try staged.retire(evicted, record: old, path: path, keeping: lostAndFound)
        try staged.removeTree(evicted)
    }

    /// The folder at a path. Where something else stands on the way it makes room: ours is removed, anything else kept.
    private mutating func openFolder(at path: TreePath) throws -> Directory {
        if touched.contains(path), let folder = try folders.folder(at: path) { return folder }
        var here = TreePath.root
        for name in path.components {
            let above = here
            here = here.appending(name)
            if touched.contains(here) { continue }
            // In a folder of its own nothing is in the way, nor below one that is not there.
            guard !made.contains(above), let above = try folders.folder(at: above) else { break }
            guard let status = try above.status(name), status.kind != .folder else { continue }
            if try above.isOurs(name, status, old?[here]) {
                try above.remove(name)
            } else {
                try lostAndFound.move(name, from: above, path: here)
            }
        }
        var visited = path
        touched.insert(path)
        while visited != .root {
            visited = visited.parent
            touched.insert(visited)
        }
        var new: [TreePath] = []
        let folder = try folders.makeFolder(at: path) { new.append($0) }
        made.formUnion(new)
        if path != .root, !made.contains(path) { try moveForeignGit(in: folder, path: path) }
        return folder
    }

    private mutating func remove(_ path: TreePath) throws {
        guard let folder = try folders.folder(at: path.parent), let status = try folder.status(path.name) else {
            return
        }
        touched.insert(path.parent)
        if status.kind == .folder {
            guard case .submodule = old?[path]?.kind, try folder.removeFolder(path.name) else { return }
        } else if try folder.isOurs(path.name, status, old?[path]) {
            try folder.remove(path.name)
        } else {
            try lostAndFound.move(path.name, from: folder, path: path)
        }
        try removeEmptyFolders(from: path.parent)
    }

    private mutating func removeEmptyFolders(from path: TreePath) throws {
        var path = path
        while path != .root {
            guard let above = try folders.folder(at: path.parent) else { return }
            guard try above.removeFolder(path.name) else { return }
            folders.rewind()
            path = path.parent
            touched.insert(path)
        }
    }

    /// No `.git` is ever served, whoever made it.
    private func moveForeignGit(in folder: Directory, path: TreePath) throws {
        let git = EntryName(".git")
        guard try folder.status(git) != nil else { return }
        try lostAndFound.move(git, from: folder, path: path.appending(git))
    }

    private func makeDurable() throws {
        guard touched.count <= Durability.maxSingleSyncs else { return try root.syncFileSystem() }
        for path in touched.union([.root]) { try folders.folder(at: path)?.sync() }
    }
}

import Content
import Git
import Glibc

/// Compares every byte of a published tree with its commit, and finds what nobody published.
struct Verification {
    let record: TreeRecord
    let folder: Directory
    let limits: Limits

    /// One path that is not what the commit has there.
    enum Difference: Equatable, CustomStringConvertible {
        case missing(TreePath)
        case changed(TreePath)
        case mode(TreePath)
        /// A folder that was made for what is below it.
        case folderMode(TreePath)
        /// It is in what was published and not in the commit, or the other way around: the record is damaged.
        case unrecorded(TreePath)
        case foreign(TreePath)
        /// Nobody published it, and nobody may read it: what is in it is not known.
        case unreadable(TreePath)

        var path: TreePath {
            switch self {
            case .missing(let path), .changed(let path), .mode(let path), .folderMode(let path), .unrecorded(let path),
                .foreign(let path), .unreadable(let path):
                path
            }
        }

        var description: String {
            switch self {
            case .missing(let path): "missing: \(path)"
            case .changed(let path): "changed: \(path)"
            case .mode(let path): "mode: \(path)"
            case .folderMode(let path): "mode: \(path)/"
            case .unrecorded(let path): "not as recorded: \(path)"
            case .foreign(let path): "not published by sidekick: \(path)"
            case .unreadable(let path): "cannot be read, and was not published by sidekick: \(path)"
            }
        }
    }

    /// - Throws: `GitError` when the commit's tree cannot be read, `CancellationError`.
    func run(in repository: borrowing Repository) throws -> [Difference] {
        var differences = try record.compared(in: repository, limits)
        let folders = FolderCursor(root: folder)
        try record.rows.forEach { path, row in
            try Task.checkCancellation()
            do {
                if let difference = try difference(at: path, row, in: folders.folder(at: path.parent)) {
                    differences.append(difference)
                }
            } catch let error as DiskError where error.isUnreadable {
                differences.append(.changed(path))
            }
        }
        try findForeign(in: folder, path: .root, &differences)
        return differences.sorted { $0.path < $1.path }
    }

    private func difference(at path: TreePath, _ row: RecordedEntry, in folder: Directory?) throws -> Difference? {
        guard row.inode != 0 || row.kind != .link else { return nil }
        guard let folder, let status = try folder.status(path.name) else { return .missing(path) }
        switch (row.kind, status.kind) {
        case (.file(let executable), .file):
            if try !folder.has(row.content, size: row.size, at: path.name) { return .changed(path) }
            return status.permissions == FileModes.file(isExecutable: executable) ? nil : .mode(path)
        case (.link, .link): return try folder.isOurs(path.name, status, row) ? nil : .changed(path)
        case (.submodule, .folder): return nil
        default: return .changed(path)
        }
    }

    private static func namesIfReadable(of folder: Directory) throws(DiskError) -> [EntryName]? {
        do {
            return try folder.names()
        } catch {
            guard error.isUnreadable else { throw error }
            return nil
        }
    }

    /// Goes on around what it may not read, as a volume's own lost+found.
    private func findForeign(in folder: Directory, path: TreePath, _ differences: inout [Difference]) throws {
        // Of what stands in the layout `folder`, others may have made a part, and keep it as they like.
        if record.layout != .folder, try folder.status.permissions != FileModes.folder {
            differences.append(.folderMode(path))
        }
        guard let names = try Self.namesIfReadable(of: folder) else { return differences.append(.unreadable(path)) }
        for name in names {
            try Task.checkCancellation()
            let child = path.appending(name)
            if path == .root, name == EntryName(".sidekick") { continue }
            do {
                if try folder.status(name)?.kind == .folder {
                    if let below = try folder.folder(name) { try findForeign(in: below, path: child, &differences) }
                } else if record[child].map({ $0.kind == .link && $0.inode == 0 }) ?? true {
                    differences.append(.foreign(child))
                }
            } catch let error as DiskError where error.isUnreadable {
                differences.append(.unreadable(child))
            }
        }
    }
}

extension TreeRecord {
    /// Where the record itself is not what the commit has. Of a selection only what was selected is looked at.
    fileprivate func compared(
        in repository: borrowing Repository, _ limits: Limits
    ) throws -> [Verification.Difference] {
        let whole = try repository.root(of: commit, as: recipe)
        let commit = try repository.commit(commit).with(tree: whole)
        let tree = try repository.folder(recipe.subdirectory, of: commit)
        let selection = recipe.selection
        var found = 0
        var wrong: [Verification.Difference] = []
        do {
            try repository.differences(
                from: nil, to: tree, depth: limits.depth, folders: limits.files,
                including: { entry, path, _ in selection.publishes(entry, at: path) }
            ) { change in
                try Task.checkCancellation()
                guard let leaf = try change.new.flatMap({ try repository.leaf($0, at: change.path, as: recipe) }) else {
                    return
                }
                guard let row = self[change.path] else { return wrong.append(.unrecorded(change.path)) }
                found += 1
                if !row.holds(leaf) { wrong.append(.unrecorded(change.path)) }
            }
        } catch let error as TreeTooLarge {
            throw limits.exceeded(error)
        }
        guard found < count.entries else { return wrong }
        var paths: [TreePath] = []
        var compressed: [(path: TreePath, original: TreePath?, of: ObjectID)] = []
        rows.forEach { path, row in
            guard case .compressed(let blob) = row.content else { return paths.append(path) }
            compressed.append((path, recipe.compression?.original(of: path), blob.source))
        }
        let entries = try repository.entries(
            at: paths + compressed.map(\.path) + compressed.compactMap(\.original), in: tree)
        wrong += paths.filter { entries[$0] == nil }.map { .unrecorded($0) }
        for (path, original, blob) in compressed {
            let isOfIts = original.map { entries[$0]?.id == blob } ?? false
            if !isOfIts || entries[path] != nil { wrong.append(.unrecorded(path)) }
        }
        return wrong
    }
}

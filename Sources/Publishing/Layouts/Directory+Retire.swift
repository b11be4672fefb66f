import Content
import Git
import Glibc

extension Directory {
    /// Removes a tree that is no longer shown. What its record knows goes; anything else in it is not ours, and is kept.
    ///
    /// - Parameters:
    ///   - record: what was published there; without one everything is kept.
    ///   - dirty: paths at which everything is ours.
    ///   - isStopped: asked between two files whether to leave the rest for another time.
    /// - Returns: whether all of it is gone.
    @discardableResult
    func retire(
        _ name: EntryName, record: TreeRecord?, dirty: Set<TreePath> = [], keeping lostAndFound: LostAndFound,
        isStopped: () -> Bool = { false }
    ) throws -> Bool {
        guard
            try retire(
                name, record: record, path: .root, dirty: dirty, keeping: lostAndFound, isStopped: isStopped)
        else { return false }
        if try !removeFolder(name), try status(name) != nil {
            throw DiskError("remove the folder", pathOf(name), code: ENOTEMPTY)
        }
        return true
    }

    /// The same for what is in a folder.
    ///
    /// - Parameter path: where the folder stood in the published tree.
    @discardableResult
    func retire(
        _ name: EntryName, record: TreeRecord?, path: TreePath, dirty: Set<TreePath> = [],
        keeping lostAndFound: LostAndFound, isStopped: () -> Bool = { false }
    ) throws -> Bool {
        guard let folder = try folder(name) else { return true }
        for child in try folder.names() {
            guard !isStopped() else { return false }
            let childPath = path.appending(child)
            let status = try folder.status(child)
            if status?.kind == .folder {
                if try folder.removeFolder(child) { continue }
                guard
                    try folder.retire(
                        child, record: record, path: childPath, dirty: dirty, keeping: lostAndFound,
                        isStopped: isStopped)
                else { return false }
                try folder.removeFolder(child)
            } else if try dirty.contains(childPath) || folder.isOurs(child, status, record?[childPath]) {
                try folder.remove(child)
            } else {
                try lostAndFound.move(child, from: folder, path: childPath)
            }
        }
        return true
    }

    /// Whether what stands at a name is what was published there: by its stat, and where that differs by its bytes.
    func isOurs(_ name: EntryName, _ status: FileStatus?, _ entry: RecordedEntry?) throws -> Bool {
        guard let entry, let status else { return false }
        if entry.matches(status) { return true }
        switch (entry.kind, status.kind) {
        case (.file, .file): return try has(entry.content, size: entry.size, at: name)
        case (.link, .link):
            let target = try readLink(name) ?? []
            return .blob(target.withUnsafeBytes { ObjectID(hashing: $0) }) == entry.content
        default: return false
        }
    }
}

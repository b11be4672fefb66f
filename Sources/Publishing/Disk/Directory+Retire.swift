import Git

extension Directory {
    /// Removes a tree that is no longer shown. What its record knows goes; anything else in it is not ours, and is kept.
    ///
    /// - Parameter record: what was published there; without one everything is kept.
    func retire(_ name: EntryName, record: TreeRecord?, keeping lostAndFound: LostAndFound) throws {
        try retire(name, record: record, path: .root, keeping: lostAndFound)
        if try !removeFolder(name), try status(name) != nil {
            throw DiskError("remove the folder", pathOf(name), code: 39 /* ENOTEMPTY */)
        }
    }

    /// - Parameter path: where the folder stood in the published tree.
    func retire(
        _ name: EntryName, record: TreeRecord?, path: TreePath, keeping lostAndFound: LostAndFound
    ) throws {
        guard let folder = try folder(name) else { return }
        for child in try folder.names() {
            let childPath = path.appending(child)
            let status = try folder.status(child)
            if status?.kind == .folder {
                if try folder.removeFolder(child) { continue }
                try folder.retire(child, record: record, path: childPath, keeping: lostAndFound)
                try folder.removeFolder(child)
            } else if try folder.isOurs(child, status, record?.entries[childPath]) {
                try folder.remove(child)
            } else {
                try lostAndFound.move(child, from: folder, path: childPath)
            }
        }
    }

    /// Whether what stands at a name is what was published there: by its stat, and where that differs by its bytes.
    func isOurs(_ name: EntryName, _ status: FileStatus?, _ entry: RecordedEntry?) throws -> Bool {
        guard let entry, let status else { return false }
        if entry.matches(status) { return true }
        switch (entry.kind, status.kind) {
        case (.file, .file): return try blobID(of: name) == entry.id
        case (.link, .link):
            let target = try readLink(name) ?? []
            return try target.withUnsafeBytes { try ObjectID(hashing: $0) } == entry.id
        default: return false
        }
    }
}

import Git
import Glibc

/// Makes files of blobs, and links, as several threads do it at a time: together they have no more of blobs in memory than one alone.
struct LeafWriter: Sendable {
    /// Whether each file is on the disk before the next is begun.
    let durable: Bool
    private let budget: BlobBudget

    init(durable: Bool, limits: Limits) {
        self.durable = durable
        budget = BlobBudget(limits.blob)
    }

    /// - Parameters:
    ///   - name: a free one.
    ///   - mtime: seconds since 1970.
    func writeFile(
        _ entry: TreeEntry, as name: EntryName, in folder: Directory, mtime: Int64,
        from repository: borrowing Repository,
        _ output: inout TreeBuild.Output
    ) throws -> RecordedEntry {
        func write(_ repository: borrowing Repository) throws -> (row: RecordedEntry, isLFSPointer: Bool) {
            try repository.writeBlob(entry, as: name, in: folder, mtime: mtime, durable: durable)
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

    func makeLink(
        _ entry: TreeEntry, as name: EntryName, in folder: Directory, from repository: borrowing Repository
    ) throws -> RecordedEntry {
        let target = try repository.withBlob(entry.id) { Array($0) }
        try folder.makeLink(name, target: target)
        guard let status = try folder.status(name) else {
            throw DiskError("look at", folder.pathOf(name), code: ENOENT)
        }
        return RecordedEntry(entry, status)
    }
}

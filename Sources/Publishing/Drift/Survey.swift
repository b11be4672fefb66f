import Content
import Git
import Glibc

/// Looks at a published tree by `lstat`, path for path of its record, and hashes only what looks touched.
struct Survey {
    let record: TreeRecord
    let folder: Directory
    let modificationTimes: ModificationTimes

    /// What was found.
    struct Findings: Equatable {
        /// Paths whose bytes, kind or mode are not what was published, or that are gone.
        var drifted: [TreePath] = []
        /// Paths with the bytes that were published and another inode or time, as a backup that was restored has them.
        var corrected: [TreePath: RecordedEntry] = [:]
    }

    func run() throws -> Findings {
        var findings = Findings()
        let folders = FolderCursor(root: folder)
        try record.rows.forEach { path, row in
            let folder = try folders.folder(at: path.parent)
            let status = try folder?.status(path.name)
            if row.matches(status) { return }
            if let folder, let status, let corrected = try correction(of: row, path.name, status, in: folder) {
                findings.corrected[path] = corrected
            } else {
                findings.drifted.append(path)
            }
        }
        return findings
    }

    private func correction(
        of row: RecordedEntry, _ name: EntryName, _ status: FileStatus, in folder: Directory
    ) throws -> RecordedEntry? {
        // What was left out and stands there all the same is not ours to judge.
        if row.kind == .link, row.inode == 0 { return row }
        if case .file(let executable) = row.kind, status.permissions != FileModes.file(isExecutable: executable) {
            return nil
        }
        guard try folder.isOurs(name, status, row) else { return nil }
        let found = RecordedEntry(
            kind: row.kind, content: row.content, size: status.size, mtime: status.mtime, inode: status.inode)
        return row.isFile && !modificationTimes.accepts(found) ? nil : found
    }
}

import Git

/// What is served is looked at, not believed: at every pass a few system calls tell whether it is still there. What they cannot
/// tell, a walk does at the next start, or `verify`.
extension Publisher {
    /// Some paths of what was published, chosen when it was: the page that a folder shows first, and others by chance.
    struct Sample: Sendable {
        let rows: [(path: TreePath, row: RecordedEntry)]

        private static let count = 8
        private static let first = TreePath("index.html")

        init(of record: TreeRecord) {
            var rows: [(TreePath, RecordedEntry)] = record[Self.first].map { [(Self.first, $0)] } ?? []
            for segment in record.rows.segments where segment.count > 0 {
                for _ in 0..<Self.count {
                    guard let row = segment.row(Int.random(in: 0..<segment.count)), let entry = record[row.path] else {
                        continue
                    }
                    rows.append((row.path, entry))
                }
            }
            self.rows = rows
        }

        /// Whether all of them are as they were published, as far as `lstat` tells.
        func stands(in folder: Directory) throws -> Bool {
            let folders = FolderCursor(root: folder)
            return try rows.allSatisfy { path, row in
                row.matches(try folders.folder(at: path.parent)?.status(path.name))
            }
        }
    }

    /// Looks at what is visible. What is gone or was changed is made anew by this pass.
    ///
    /// - Returns: whether it is what was published.
    func isInSight() throws -> Bool {
        guard let sample = try sample(), let folder = try visibleFolder() else { return false }
        if try sample.stands(in: folder) { return true }
        return try survey() == 0
    }

    /// Whether something of ours is visible at this moment, whatever was so at the last pass.
    public func isServing() -> Bool { (try? published()) != nil && (try? visibleFolder()) != nil }

    private func visibleFolder() throws -> Directory? {
        // Through the link, where it is one: as a web server opens it.
        guard try FileStatus.following(destination.path)?.kind == .folder else { return nil }
        return try Directory(opening: destination.path + "/.")
    }
}

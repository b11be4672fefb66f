import Git

extension TreePool {
    /// Takes note of files that another tree has with the same bytes and another time: the path held other bytes in between.
    /// No comparison of commits finds them, and brought forward as it is that tree would take the path back to the time that
    /// it had before, and give the bytes that come next the time of those in between.
    ///
    /// - Parameters:
    ///   - record: what a tree holds that is about to be shown.
    ///   - paths: where it differs from what is visible, at least.
    func markReusedTimes(of record: TreeRecord, at paths: [TreePath], in tree: String) throws {
        for other in try spares(besides: tree) {
            let stale = paths.filter { path in
                guard let new = record[path], let old = other.record[path], new.isFile, old.isFile else { return false }
                return new.content == old.content && new.time != old.time
            }
            if !stale.isEmpty { try noteDirty(Set(other.dirty).union(stale), of: other.name) }
        }
    }
}

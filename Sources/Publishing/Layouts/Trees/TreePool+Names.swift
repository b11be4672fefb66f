import Git
import Glibc

/// Where DESTINATION leads, the last name is the commit, for those who read it there as they do with git-sync. When a commit is shown
/// again, its name is taken: by the tree of the time before, or by one of another recipe. Then the two exchange their names, so
/// that at any moment each name leads to a whole tree of that commit.
extension TreePool {
    /// Gives a tree the name of its commit, before it is shown or, where that name is the live tree's, by that.
    ///
    /// - Returns: its name now. On a file system that cannot exchange names it is the one that it had.
    func claimCommitName(for tree: String) throws -> String {
        guard let record = try record(of: tree), tree != record.commit.description else { return tree }
        let commit = record.commit.description
        let (trees, name, wanted) = (try trees, EntryName(tree), EntryName(commit))
        switch try trees.status(wanted)?.kind {
        case nil:
            _ = try add(name, as: commit, record)
            try removeRecord(of: tree)
        case .folder:
            // What is in doubt of the other tree is so under the name that it gets. Of the one to be shown nothing is.
            let dirty = try dirtyPaths(of: commit)
            if !dirty.isEmpty { try noteDirty(dirty, of: tree) }
            do {
                try trees.exchange(name, with: trees, wanted)
            } catch  where [EINVAL, ENOSYS, EOPNOTSUPP].contains(error.code) {
                try clearDirty(of: tree)
                return tree
            }
            try trees.sync()
            try settleNames(tree, commit)
        case .link, .file, .other: return tree
        }
        return commit
    }

    /// Finishes an exchange of names that was interrupted: the trees have exchanged theirs, the records not yet.
    func settleNames() throws {
        let trees = try names().filter { !$0.hasPrefix(".") }
        for name in trees where name.utf8.count > 40 { try settleNames(name, String(name.prefix(40))) }
    }

    /// - Parameter name: the one that was free when its tree was made.
    private func settleNames(_ name: String, _ commit: String) throws {
        guard let record = try record(of: name), try trees.status(EntryName(commit))?.inode == record.root else {
            return
        }
        let records = try Directory(opening: destination.volumeFolder + "/records")
        if let other = try self.record(of: commit) {
            guard try trees.status(EntryName(name))?.inode == other.root else { return }
            try records.exchange(EntryName(name), with: records, EntryName(commit))
        } else {
            // Of the other tree nothing was known that can be read.
            try records.rename(EntryName(name), to: records, as: EntryName(commit))
        }
        try records.sync()
        try clearDirty(of: commit)
        if try previous()?.tree == commit { try pointPrevious(at: name) }
    }
}

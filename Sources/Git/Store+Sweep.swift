import Glibc

extension Store {
    /// Removes what a process that was killed leaves in a store and what would fail every later one: stale lock files,
    /// half-received packs, and the other store of a compaction. Only for the one process that owns the store.
    ///
    /// - Returns: how many leftovers were removed.
    @discardableResult
    public func sweep() -> Int {
        guard isOurs else { return 0 }
        try? history.end()
        try? Quarantine(store: self).remove()
        let leftovers = [
            "*.lock", "shallow.sidekick", "refs/*.lock", "refs/*/*.lock", "refs/*/*/*.lock", "objects/pack/pack_git2_*",
            "objects/pack/tmp_*", "objects/??/tmp_*",
            // Foundation's name for a file that it is about to rename, and libgit2's for a look at what links can do here.
            ".dat.nosync*", "_git2_*",
        ]
        return leftovers.reduce(sweepCompaction()) { removed, pattern in
            var matches = glob_t()
            defer { globfree(&matches) }
            guard glob(globEscaped(path) + "/" + pattern, 0, nil, &matches) == 0 else { return removed }
            let files = UnsafeBufferPointer(start: matches.gl_pathv, count: Int(matches.gl_pathc))
            return removed + files.count { file in file.map { unlink($0) == 0 } ?? false }
        }
    }

    private func globEscaped(_ path: String) -> String {
        path.reduce(into: "") { text, character in
            if "*?[\\".contains(character) { text.append("\\") }
            text.append(character)
        }
    }
}

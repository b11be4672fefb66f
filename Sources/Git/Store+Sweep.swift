import Glibc

extension Store {
    /// Removes what a process that was killed leaves in a store and what would fail every later one: stale lock files,
    /// half-received packs, and the other store of a compaction. Only for the one process that owns the store.
    ///
    /// - Returns: how many leftovers were removed.
    @discardableResult
    public func sweep() -> Int {
        guard hasOwnershipMark else { return 0 }
        try? history.remove()
        try? Quarantine(store: self).remove()
        let leftovers = [
            "*.lock", "shallow.sidekick", "refs/*.lock", "refs/*/*.lock", "refs/*/*/*.lock", "refs/*/*/*/*.lock",
            "objects/pack/pack_git2_*",
            "objects/pack/tmp_*", "objects/??/tmp_*",
            // Foundation's name for a file that it is about to rename, and libgit2's for a look at what links can do here.
            ".dat.nosync*", "_git2_*",
        ]
        return leftovers.reduce(sweepCompaction() + sweepPacksWithoutIndex()) { removed, pattern in
            removed + files(pattern).count { unlink($0) == 0 }
        }
    }

    /// A pack is let in before its index, and cannot be seen without it.
    private func sweepPacksWithoutIndex() -> Int {
        files("objects/pack/pack-*.pack").count { pack in
            !isTaken(pack.dropLast("pack".count) + "idx") && unlink(pack) == 0
        }
    }

    private func files(_ pattern: String) -> [String] {
        var matches = glob_t()
        defer { globfree(&matches) }
        guard glob(globEscaped(path) + "/" + pattern, 0, nil, &matches) == 0 else { return [] }
        return UnsafeBufferPointer(start: matches.gl_pathv, count: Int(matches.gl_pathc)).compactMap { file in
            file.map { String(cString: $0) }
        }
    }

    private func globEscaped(_ path: String) -> String {
        path.reduce(into: "") { text, character in
            if "*?[\\".contains(character) { text.append("\\") }
            text.append(character)
        }
    }
}

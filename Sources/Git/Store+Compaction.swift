import CLinux
import FoundationEssentials
import Glibc
import Platform

extension Store {
    /// Where a compacted store is made, and where the old one is until it is removed.
    private var fresh: Store { beside(".new") }
    /// Where the old one is for the moment between two renames, where names cannot be exchanged.
    private var old: Store { beside(".old") }

    /// Replaces the store by one that holds some commits and nothing else. Until that moment, and when this throws, it is
    /// as it was; a process that is killed leaves the one or the other, and for `sweep` what is over.
    ///
    /// Everything is copied, so it needs the space of what is kept for as long as it runs. Close what is open of this store
    /// before: it would go on to read the old one, and hold its files.
    ///
    /// - Parameters:
    ///   - commits: what is kept, the most important first. One of the others that is not whole is left out.
    ///   - depth: the commits of history that are kept with each; 0 is all.
    ///   - bytes: of the largest tree that is kept; `nil` when that is not known.
    /// - Returns: the commits that were kept, in the same order.
    /// - Throws: `GitError` when the first commit is not whole or the disk refuses, `CancellationError`.
    @discardableResult
    public func compact(keeping commits: [ObjectID], depth: Int, bytes: Int64? = nil) throws -> [ObjectID] {
        guard hasMark else {
            throw GitError(call: "store", code: -1, message: "\(path) is not a store of sidekick's")
        }
        do {
            try fresh.removeOurs()
            try checkSpace()
            // Closed, all of them, before anything is removed.
            let kept = try fill(commits, depth: depth)
            carryShare(to: fresh)
            try fresh.note(Compacted(left: fresh.size().bytes, kept: bytes).text, in: fresh.compactedFile)
            try fresh.sync()
            try Task.checkCancellation()
            try replace()
            return kept
        } catch {
            try? fresh.removeOurs()
            throw error
        }
    }

    /// What is kept is at most what is there. To find out by filling the disk would hurt everybody else on it.
    private func checkSpace() throws {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw failure("look at", path) }
        let (free, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        errno = ENOSPC
        guard overflow || free >= UInt64(size().bytes) else { throw failure("copy", path) }
    }

    private func fill(_ commits: [ObjectID], depth: Int) throws -> [ObjectID] {
        // It is on the disk before it takes the place of this one.
        try fresh.prepare()
        let target = try fresh.open()
        let source = try open()
        var kept: [ObjectID] = []
        // The oldest first: then a later one finds its parent, and its history does not end before it.
        for (position, commit) in commits.enumerated().reversed() {
            do {
                try target.copy(commit, depth: depth, from: source) { _ in }
                kept.append(commit)
            } catch let error as GitError where position > 0 && !error.isLocalDisk {
                continue
            }
        }
        // Nothing to keep is no failure: what strangers sent and nothing was made of goes.
        guard kept.isEmpty == commits.isEmpty else {
            throw GitError(call: "store", code: -1, message: "none of the commits to keep is whole")
        }
        for name in try source.referenceNames() where name.hasPrefix(StoreReference.prefix) {
            guard let id = try? source.reference(name)?.target, try target.contains(id) else { continue }
            try target.setReference(name, to: id)
        }
        return kept.reversed()
    }

    /// Puts the fresh store in the place of this one and removes this one.
    private func replace() throws {
        let here = AT_FDCWD
        if renameat2(here, fresh.path, here, path, sidekick_rename_exchange) != 0 {
            // Not every file system can (NFS, some of FUSE). Between these two there is none: `sweep` brings it back.
            guard errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP else { throw failure("exchange", path) }
            try old.removeOurs()
            guard rename(path, old.path) == 0 else { throw failure("rename", path) }
            guard rename(fresh.path, path) == 0 else {
                let error = failure("rename", fresh.path)
                rename(old.path, path)
                throw error
            }
        }
        try syncFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        // What is left of the old one is swept some day.
        try? fresh.removeOurs()
        try? old.removeOurs()
    }

    /// Undoes and removes what a compaction that was killed has left.
    ///
    /// - Returns: how many stores were removed.
    func sweepCompaction() -> Int {
        if !isTaken(path), isTaken(old.path), old.hasOwnershipMark { rename(old.path, path) }
        return [fresh, old].count { store in isTaken(store.path) && (try? store.removeOurs()) != nil }
    }

    private func note(_ text: String, in file: String) throws {
        do {
            try text.write(toFile: file, atomically: false, encoding: .utf8)
        } catch {
            throw GitError(call: "store", code: -1, message: "\(file): \(error.fileFailure)", isLocalDisk: true)
        }
    }

    /// Everything in the store is on the disk when this returns.
    func sync() throws { try withDescriptor(path) { syncfs($0) } }

    private func syncFolder(_ folder: String) throws { try withDescriptor(folder.isEmpty ? "/" : folder) { fsync($0) } }

    private func withDescriptor(_ folder: String, _ body: (Int32) -> Int32) throws {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        guard body(descriptor) == 0 else { throw failure("sync", folder) }
    }

    private func failure(_ what: String, _ file: String) -> GitError {
        GitError(
            call: "store", code: -1, message: "\(what) \(file): \(String(cString: strerror(errno)))", isLocalDisk: true)
    }
}

import CLibgit2
import FoundationEssentials
import Glibc
import Platform

/// Where a pack is received: in a folder of its own inside the store, in which nothing looks for objects. Nothing of it, and
/// nothing that was said of it, is part of the store before it is known to bring what was wanted.
struct Quarantine: Sendable {
    let store: Store

    private var path: String { store.path + "/sidekick-incoming" }
    private var packs: String { store.path + "/objects/pack" }

    /// Makes it, empty.
    ///
    /// - Returns: its folder.
    func begin() throws -> String {
        try remove()
        guard mkdir(path, 0o700) == 0 else { throw failure("make", path) }
        return path
    }

    /// Removes it with what it holds.
    func remove() throws {
        guard isTaken(path) else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw GitError(call: "store", code: -1, message: error.fileFailure, isLocalDisk: true)
        }
    }

    /// The pack that has been received.
    func pack() throws(GitError) -> ReceivedPack { try ReceivedPack(in: path) }

    /// Makes the pack part of the store. Before its commits can be seen it is on the disk which of them have no parents here, and
    /// after their parents are, which have.
    ///
    /// - Parameters:
    ///   - wanted: what the pack was asked for.
    ///   - shallow: commits whose parents will not be here. Of these, only those count that the pack holds and that what was wanted
    ///     leads to: nobody needs to know of any other, and all are told to the server again.
    ///   - whole: commits whose parents are here from now on; only of those that it is true of.
    func admit(_ pack: ReceivedPack, bringing wanted: ObjectID, shallow: [ObjectID], whole: [ObjectID]) throws {
        let before = try store.shallowCommits()
        // A server that was told of one does not say it again, and the pack that it was said of may have been lost by a kill.
        let kept = try before.filter { try !pack.completes($0) }
        let parents = try parents(of: Set(before).intersection(whole), with: pack)
        // From what was here already on, the pack has what was before it.
        let new = try pack.ends(of: [wanted] + parents.values.joined(), among: Set(shallow))
        try store.setShallow(Set(kept).union(new).union(parents.keys), instead: before)
        // The index last: with it the pack can be seen.
        for end in [".pack", ".idx"] {
            let name = pack.name + end
            guard rename(path + "/" + name, packs + "/" + name) == 0 else { throw failure("rename", path + "/" + name) }
        }
        try syncFolder(packs)
        if !parents.isEmpty {
            let now = try store.shallowCommits()
            try store.setShallow(Set(now).subtracting(parents.keys), instead: now)
        }
        try remove()
    }

    /// Of some commits that are here, those whose parents are here as well once the pack is, whatever a server says.
    private func parents(of commits: Set<ObjectID>, with pack: ReceivedPack) throws -> [ObjectID: [ObjectID]] {
        guard !commits.isEmpty else { return [:] }
        let repository = try store.open()
        var found: [ObjectID: [ObjectID]] = [:]
        for id in commits {
            guard let parents = try? repository.commit(id).parents else { continue }
            if try parents.allSatisfy({ try pack.holdsCommit($0) || repository.contains($0) }) { found[id] = parents }
        }
        return found
    }

    private func syncFolder(_ folder: String) throws {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", folder) }
    }

    private func failure(_ what: String, _ file: String) -> GitError {
        let reason = String(cString: strerror(errno))
        return GitError(call: "store", code: -1, message: "\(what) \(file): \(reason)", isLocalDisk: true)
    }
}

/// A pack outside the store, with its index.
struct ReceivedPack {
    /// Without `.pack`.
    let name: String
    private let database: Database

    private final class Database {
        let pointer: OpaquePointer
        init() throws(GitError) { pointer = try handle("git_odb_new") { git_odb_new(&$0) } }
        deinit { git_odb_free(pointer) }
    }

    fileprivate init(in folder: String) throws(GitError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        guard let index = names.first(where: { $0.hasPrefix("pack-") && $0.hasSuffix(".idx") }) else {
            throw GitError(call: "store", code: -1, message: "\(folder) holds no pack")
        }
        name = String(index.dropLast(".idx".count))
        database = try Database()
        let database = database.pointer
        var backend: UnsafeMutablePointer<git_odb_backend>?
        try check("git_odb_backend_one_pack") { git_odb_backend_one_pack(&backend, folder + "/" + index) }
        try check("git_odb_add_backend") { git_odb_add_backend(database, backend, 1) }
    }

    /// Whether it holds that commit.
    func holdsCommit(_ id: ObjectID) -> Bool {
        var (oid, size, kind) = (id.raw, 0, GIT_OBJECT_INVALID)
        return git_odb_exists_ext(database.pointer, &oid, GIT_ODB_LOOKUP_NO_REFRESH.rawValue) == 1
            && git_odb_read_header(&size, &kind, database.pointer, &oid) == 0 && kind == GIT_OBJECT_COMMIT
    }

    /// Whether it brings a commit with all of its parents.
    fileprivate func completes(_ commit: ObjectID) throws(GitError) -> Bool {
        guard holdsCommit(commit) else { return false }
        return try parents(of: commit).allSatisfy { holdsCommit($0) }
    }

    /// Of some commits, those that histories end with which begin at others.
    fileprivate func ends(of commits: [ObjectID], among boundary: Set<ObjectID>) throws -> Set<ObjectID> {
        var (ends, seen, rest): (Set<ObjectID>, Set<ObjectID>, [ObjectID]) = ([], [], commits)
        while ends.count < boundary.count, let id = rest.popLast() {
            try Task.checkCancellation()
            guard seen.insert(id).inserted, holdsCommit(id) else { continue }
            if boundary.contains(id) { ends.insert(id) } else { rest += try parents(of: id) }
        }
        return ends
    }

    private func parents(of commit: ObjectID) throws(GitError) -> [ObjectID] {
        let object = try Repository.read(commit, .commit, in: database.pointer)
        defer { withExtendedLifetime(object) {} }
        return try Commit(commit, reading: object.bytes).parents
    }

    /// Whether it holds that object, of whatever kind.
    func holds(_ id: ObjectID) -> Bool {
        var oid = id.raw
        return git_odb_exists_ext(database.pointer, &oid, GIT_ODB_LOOKUP_NO_REFRESH.rawValue) == 1
    }
}

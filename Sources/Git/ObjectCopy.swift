import CLibgit2
import Platform

extension Repository {
    /// Copies a commit with its tree from another repository that is open on the same machine, as one pack of what is
    /// missing here. The source is only read.
    ///
    /// libgit2's local transport would do the same, but fails on shallow clones and on worktrees.
    ///
    /// Of a partial clone (git-clone(1), `--filter`), which has some blobs only, those come that it has: what is published
    /// proves that it needs no other.
    ///
    /// - Parameters:
    ///   - depth: how many commits of history come along; 0 is all that the source has.
    ///   - progress: told from time to time how far it is; what it throws ends the copy.
    /// - Throws: `GitError` when the source lacks an object, `CancellationError` when the task was cancelled.
    public borrowing func copy(
        _ commit: ObjectID, depth: Int, from source: borrowing Repository, progress: (TransferProgress) throws -> Void
    ) throws {
        let missing = try missing(from: source, commit: commit, depth: depth)
        if missing.lacksBlobs { try markPartial() }
        if !missing.objects.isEmpty {
            let folders = source.objectFolders()
            let reuse = try PackReuse(of: missing.objects, in: folders)
            var lent = reuse.ids
            let quarantine = Quarantine(store: Store(path: path.hasSuffix("/") ? String(path.dropLast()) : path))
            do {
                let folder = try quarantine.begin()
                let indexer = try PackIndexer(in: folder, completingFrom: self)
                try withoutActuallyEscaping(progress) { progress in
                    let stream = PackStream(indexer: indexer, total: missing.objects.count, progress: progress)
                    try stream.begin()
                    try reuse.forEachEntry { try stream.append($0) }
                    let rest = try reuse.rest.filter { id in
                        let isLoose = try LooseObject.lend(id, in: folders) { try stream.append($0) }
                        if isLoose {
                            lent.append(id)
                            return false
                        }
                        // A difference from what is not copied.
                        guard let object = source.packed.object(id) else { return true }
                        try object.asEntry { try stream.append($0) }
                        return false
                    }
                    if !rest.isEmpty { try source.pack(rest, into: stream, scratch: folder) }
                    try stream.end()
                }
                try indexer.commit()
                let pack = try quarantine.pack()
                if let lost = lent.first(where: { !pack.holds($0) }) {
                    throw GitError(call: "git_odb_read", code: -1, message: "object \(lost) is damaged")
                }
                // git takes a history without its end for a damaged one.
                try quarantine.admit(pack, bringing: commit, shallow: missing.boundary, whole: [])
            } catch {
                try? quarantine.remove()
                try Task.checkCancellation()
                throw error
            }
        }
    }

    /// Where objects are: its own folder, and those that it borrows from (gitrepository-layout(5), `objects/info/alternates`).
    private borrowing func objectFolders() -> [String] {
        var folders = [commonPath + "objects"]
        var index = 0
        // git follows as many.
        while index < folders.count, folders.count <= 6 {
            let folder = folders[index]
            for line in (WholeFile.text(folder + "/info/alternates") ?? "").parts(at: "\n", leavingOutEmpty: true)
            where line.first != "#" {
                folders.append(line.utf8.first == UInt8(ascii: "/") ? String(line) : "\(folder)/\(line)")
            }
            index += 1
        }
        return folders
    }

    private struct Missing {
        var objects: [ObjectID] = []
        /// Commits that come without their parents.
        var boundary: [ObjectID] = []
        /// Whether the source has not all blobs either.
        var lacksBlobs = false
    }

    private borrowing func missing(
        from source: borrowing Repository, commit: ObjectID, depth: Int
    ) throws -> Missing {
        let database = try database()
        defer { git_odb_free(database) }
        try check("git_odb_refresh") { git_odb_refresh(database) }
        func isHere(_ id: ObjectID) -> Bool {
            var oid = id.raw
            // Nobody else adds packs meanwhile: looking for new ones at each miss reads the folder of packs each time.
            return git_odb_exists_ext(database, &oid, GIT_ODB_LOOKUP_NO_REFRESH.rawValue) == 1
        }
        var missing = Missing()
        // What a tree that came before has need not be asked for one by one.
        // Nor of what is here of a commit of which a folder is here alone.
        let isPartial = try source.isPartial || !outlinedCommits().isEmpty
        let known = isPartial ? nil : fetchedCommit().flatMap { try? self.commit($0).tree }
        // What it lacked the last time it may have now.
        func isWhole(_ id: ObjectID) -> Bool { !isPartial && isHere(id) }
        var seen: Set<ObjectID> = []
        var generation = [commit]
        var level = 1
        while !generation.isEmpty {
            try Task.checkCancellation()
            var next: [ObjectID] = []
            for id in generation where seen.insert(id).inserted && !isWhole(id) {
                let commit = try source.commit(id)
                if !isHere(id) { missing.objects.append(id) }
                var trees = [(tree: commit.tree, known: known)]
                while let (tree, known) = trees.popLast() {
                    guard seen.insert(tree).inserted, tree != known, !isWhole(tree) else { continue }
                    if !isHere(tree) { missing.objects.append(tree) }
                    // Where it cannot be read, all is asked for.
                    let before = known.flatMap { try? TreeRows(of: $0, in: self) }
                    try TreeRows.compare(before, TreeRows(of: tree, in: source)) { old, new in
                        guard let new else { return }
                        switch new.kind {
                        case .folder: trees.append((new.id, old?.kind == .folder ? old?.id : nil))
                        case .submodule: return
                        case .file, .link:
                            guard seen.insert(new.id).inserted, !isHere(new.id) else { return }
                            guard try !isPartial || source.contains(new.id) else { return missing.lacksBlobs = true }
                            missing.objects.append(new.id)
                        }
                    }
                }
                var parents: [ObjectID] = []
                // What is here has its parents here, or is known as an end.
                guard !isHere(id) else { continue }
                for parent in commit.parents where try isHere(parent) || source.contains(parent) {
                    parents.append(parent)
                }
                let follows = depth == 0 || level < depth
                if parents.count < commit.parents.count || (!follows && !parents.allSatisfy(isHere)) {
                    missing.boundary.append(id)
                } else if follows {
                    next += parents
                }
            }
            generation = next
            level += 1
        }
        return missing
    }

    /// Packs objects anew, without looking for differences between them: that takes five times as long as all the rest.
    ///
    /// - Parameter scratch: a folder for a file.
    private borrowing func pack(_ objects: [ObjectID], into stream: PackStream, scratch: String) throws {
        let pointer = pointer
        try WholeFile.replace(scratch + "/config", with: Array("[core]\n\tbigFileThreshold = 1\n".utf8))
        let config = try handle("git_repository_config") { git_repository_config(&$0, pointer) }
        defer { git_config_free(config) }
        try check("git_config_add_file_ondisk") {
            git_config_add_file_ondisk(config, scratch + "/config", GIT_CONFIG_LEVEL_APP, pointer, 1)
        }
        let builder = try handle("git_packbuilder_new") { git_packbuilder_new(&$0, pointer) }
        defer { git_packbuilder_free(builder) }
        // More threads than this one would ask whether the task is cancelled, and be told that there is none.
        git_packbuilder_set_threads(builder, 1)
        for id in objects {
            var oid = id.raw
            try check("git_packbuilder_insert") { git_packbuilder_insert(builder, &oid, nil) }
        }
        try stream.append(allOf: builder)
    }
}

/// Puts a pack together of entries, and feeds it to an indexer as long as the task is not cancelled.
private final class PackStream {
    private let indexer: PackIndexer
    private let total: Int
    private let progress: (TransferProgress) throws -> Void
    private var bytes = 0
    private var failure: (any Error)?
    private var hasher = SHA1()
    /// What the indexer has not got yet: it takes long for each piece.
    private var pending: [UInt8] = []
    private static let pieceSize = 1 << 18

    init(indexer: PackIndexer, total: Int, progress: @escaping (TransferProgress) throws -> Void) {
        self.indexer = indexer
        self.total = total
        self.progress = progress
        pending.reserveCapacity(Self.pieceSize)
    }

    /// gitformat-pack(5): a name, a version, the number of objects.
    func begin() throws {
        let head = Array("PACK".utf8) + [0, 0, 0, 2] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: total >> $0) }
        try head.withUnsafeBytes(append)
    }

    func append(_ data: UnsafeRawBufferPointer) throws {
        pending.append(contentsOf: data)
        if pending.count >= Self.pieceSize { try flush() }
    }

    func end() throws {
        try flush()
        pending = hasher.digest()
        try flush()
    }

    private func flush() throws {
        try Task.checkCancellation()
        try pending.withUnsafeBytes { data in
            hasher.update(data)
            try indexer.append(data)
        }
        bytes += pending.count
        pending.removeAll(keepingCapacity: true)
        let received = indexer.receivedObjects
        try progress(TransferProgress(receivedObjects: received, totalObjects: total, receivedBytes: bytes))
    }

    // MARK: the entries of a pack that libgit2 makes

    private static let (headSize, trailerSize) = (12, 20)
    /// Bytes of its head that are still to come, and the last bytes so far, which may be its trailer.
    private var (head, tail): (Int, [UInt8]) = (0, [])

    func append(allOf builder: OpaquePointer) throws {
        (head, tail) = (Self.headSize, [])
        let payload = Unmanaged.passUnretained(self).toOpaque()
        git_packbuilder_set_callbacks(builder, { _, _, _, _ in Task.isCancelled ? GIT_EUSER.rawValue : 0 }, nil)
        let code = git_packbuilder_foreach(
            builder,
            { data, size, payload in
                guard let data, let payload else { return GIT_EUSER.rawValue }
                return Unmanaged<PackStream>.fromOpaque(payload).takeUnretainedValue()
                    .take(UnsafeRawBufferPointer(start: data, count: size))
            }, payload)
        if let failure { throw failure }
        try Task.checkCancellation()
        try check("git_packbuilder_foreach") { code }
    }

    private func take(_ data: UnsafeRawBufferPointer) -> Int32 {
        guard !Task.isCancelled else { return GIT_EUSER.rawValue }
        do {
            let skipped = min(head, data.count)
            head -= skipped
            tail += data[skipped...]
            let whole = max(tail.count - Self.trailerSize, 0)
            try tail[..<whole].withUnsafeBytes(append)
            tail.removeFirst(whole)
            return 0
        } catch {
            failure = error
            return GIT_EUSER.rawValue
        }
    }
}

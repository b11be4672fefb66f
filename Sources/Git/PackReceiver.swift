import CLibgit2

/// Takes a pack from a server, piece by piece as it comes, and makes it part of a store when it is whole. Until then, and
/// when it is dropped, nothing of it can be seen.
///
/// It works on the executor's queue.
public actor PackReceiver {
    private let executor: GitExecutor
    private let path: String
    private var open: Open?
    private var header: [UInt8] = []
    private var bytes = 0

    /// An indexer, and the objects that it completes a thin pack from: they outlive the repository that they were opened by.
    private final class Open {
        let database: OpaquePointer
        private(set) var indexer: PackIndexer?

        init(_ store: Store) throws {
            let repository = try store.open()
            database = try repository.database()
            indexer = try PackIndexer(in: repository.path + "objects/pack", completingFrom: database)
        }

        deinit {
            indexer = nil
            git_odb_free(database)
        }
    }

    /// The executor's queue.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedExecutor }

    /// Nothing is opened before the first byte.
    public init(into store: Store, on executor: GitExecutor) {
        path = store.path
        self.executor = executor
    }

    /// Says which commits will be here without their parents: before the first byte, so that no moment knows the commits and
    /// not this.
    public func add(shallow commits: [ObjectID]) throws {
        try Store(path: path).open().changeShallow(adding: commits, removing: [])
    }

    /// Takes more of the pack.
    ///
    /// - Throws: `GitError` when it is damaged or the disk refuses, `CancellationError`.
    public func append(_ data: [UInt8]) throws -> TransferProgress {
        try Task.checkCancellation()
        if open == nil { open = try Open(Store(path: path)) }
        if header.count < Self.headerSize { header += data.prefix(Self.headerSize - header.count) }
        bytes += data.count
        guard let indexer = open?.indexer else {
            return TransferProgress(receivedObjects: 0, totalObjects: 0, receivedBytes: 0)
        }
        do {
            try data.withUnsafeBytes { try indexer.append($0) }
        } catch {
            try Task.checkCancellation()
            throw error
        }
        return TransferProgress(
            receivedObjects: indexer.receivedObjects, totalObjects: indexer.totalObjects, receivedBytes: bytes)
    }

    /// Makes the pack part of the store.
    ///
    /// - Parameter whole: commits whose parents are here from now on.
    public func finish(unshallow whole: [ObjectID]) throws {
        try Task.checkCancellation()
        // The server had nothing to add.
        if !isEmpty {
            guard let indexer = open?.indexer else {
                throw GitError(call: "git_indexer_commit", code: -1, message: "the pack has no bytes")
            }
            do {
                try indexer.commit()
            } catch {
                try Task.checkCancellation()
                throw error
            }
        }
        open = nil
        if !whole.isEmpty { try Store(path: path).open().changeShallow(adding: [], removing: whole) }
    }

    /// Closes what is open and removes what is incomplete.
    public func abandon() { open = nil }

    /// `PACK`, a version, and the number of objects, four bytes each (gitformat-pack(5)).
    private static let headerSize = 12
    private var isEmpty: Bool { header.count == Self.headerSize && header[8...].allSatisfy { $0 == 0 } }
}

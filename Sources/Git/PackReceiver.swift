/// Takes a pack from a server, piece by piece as it comes, and makes it part of a store when it is whole and brings what was
/// wanted. Until then, and when it is dropped, nothing of it can be seen.
///
/// It works on the executor's queue.
public actor PackReceiver {
    private let executor: GitExecutor
    private let quarantine: Quarantine
    private var indexer: PackIndexer?
    private var header: [UInt8] = []
    private var bytes = 0

    /// The executor's queue.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedExecutor }

    /// Nothing is opened before the first byte.
    public init(into store: Store, on executor: GitExecutor) {
        quarantine = Quarantine(store: store)
        self.executor = executor
    }

    /// Takes more of the pack.
    ///
    /// - Throws: `GitError` when it is damaged, has too many objects or too large ones, or the disk refuses; `CancellationError`.
    public func append(_ data: [UInt8]) throws -> TransferProgress {
        try Task.checkCancellation()
        if indexer == nil {
            let repository = try quarantine.store.open()
            indexer = try PackIndexer(in: try quarantine.begin(), completingFrom: repository)
        }
        bytes += data.count
        var data = data[...]
        if header.count < Self.headerSize {
            header += data
            guard header.count >= Self.headerSize else { return progress }
            try checkCount()
            data = header[...]
            header = Array(header.prefix(Self.headerSize))
        }
        do {
            try data.withUnsafeBytes { try indexer?.append($0) }
        } catch {
            try Task.checkCancellation()
            throw error
        }
        return progress
    }

    private var progress: TransferProgress {
        TransferProgress(
            receivedObjects: indexer?.receivedObjects ?? 0, totalObjects: indexer?.totalObjects ?? 0,
            receivedBytes: bytes)
    }

    /// Makes the pack part of the store.
    ///
    /// - Parameters:
    ///   - wanted: what it must bring, unless the store has it.
    ///   - shallow: commits that will be here without their parents.
    ///   - whole: commits whose parents are here from now on.
    /// - Returns: whether the store has what was wanted; nothing of the pack is kept when not.
    public func finish(bringing wanted: ObjectID, shallow: [ObjectID], unshallow whole: [ObjectID]) throws -> Bool {
        try Task.checkCancellation()
        // The server had nothing to add.
        guard !isEmpty else {
            indexer = nil
            return try quarantine.store.open().contains(wanted)
        }
        guard let complete = indexer else {
            throw IncomingPack.damage("has no bytes")
        }
        do {
            try complete.commit()
        } catch {
            try Task.checkCancellation()
            throw error
        }
        indexer = nil
        let pack = try quarantine.pack()
        guard try pack.holds(wanted) || quarantine.store.open().contains(wanted) else { return false }
        try quarantine.admit(pack, bringing: wanted, shallow: shallow, whole: whole)
        return true
    }

    /// Closes what is open and removes what is incomplete.
    public func abandon() {
        indexer = nil
        // What is left is removed by the next one, or at the next start.
        try? quarantine.remove()
    }

    /// `PACK`, a version, and the number of objects, four bytes each (gitformat-pack(5)).
    private static let headerSize = 12
    private var count: Int { header[8..<12].reduce(0) { $0 << 8 | Int($1) } }
    private var isEmpty: Bool { header.count == Self.headerSize && count == 0 }

    /// Each object takes memory before its first byte comes.
    private func checkCount() throws(GitError) {
        let allowed = ObjectLimits.current.objects
        guard header.starts(with: "PACK".utf8), count > allowed else { return }
        throw GitError(
            call: "index-pack",
            exceeding: ExceededLimit(kind: .objects, what: "the pack", found: count, allowed: allowed))
    }
}

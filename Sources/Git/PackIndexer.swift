import CLibgit2

/// How far a transfer is.
public struct TransferProgress: Sendable, Equatable {
    /// Objects that arrived.
    public var receivedObjects: Int
    /// Objects that the pack holds; 0 while unknown.
    public var totalObjects: Int
    /// Bytes of pack that arrived.
    public var receivedBytes: Int

    /// Makes a report.
    public init(receivedObjects: Int, totalObjects: Int, receivedBytes: Int) {
        self.receivedObjects = receivedObjects
        self.totalObjects = totalObjects
        self.receivedBytes = receivedBytes
    }
}

/// Takes a pack as it arrives and makes an indexed pack file of it. Nothing of it is visible before the commit at the end.
final class PackIndexer {
    private let pointer: OpaquePointer
    private var statistics = git_indexer_progress()

    var receivedObjects: Int { Int(statistics.received_objects) }
    var totalObjects: Int { Int(statistics.total_objects) }

    /// The partial pack is removed when the last reference to this goes before `commit` was called.
    ///
    /// - Parameter database: where the bases of a thin pack are; it must outlive this.
    init(in folder: String, completingFrom database: OpaquePointer) throws(GitError) {
        var options = git_indexer_options()
        try check("git_indexer_options_init") {
            git_indexer_options_init(&options, UInt32(GIT_INDEXER_OPTIONS_VERSION))
        }
        options.progress_cb = { _, _ in Task.isCancelled ? GIT_EUSER.rawValue : 0 }
        pointer = try handle("git_indexer_new") { git_indexer_new(&$0, folder, 0, database, &options) }
    }

    deinit { git_indexer_free(pointer) }

    /// Checks the whole pack and gives it its name.
    func commit() throws(GitError) {
        try check("git_indexer_commit") { git_indexer_commit(pointer, &statistics) }
    }

    func append(_ data: UnsafeRawBufferPointer) throws(GitError) {
        try check("git_indexer_append") { git_indexer_append(pointer, data.baseAddress, data.count, &statistics) }
    }
}

public import Git

/// The bytes behind content, for one thread; a `ContentSource` opens one for each.
public struct Contents: ~Copyable {
    /// The objects.
    public let repository: Repository
    /// Those of Git LFS.
    public let lfs: LFSStore
    let gzip = Gzip()

    /// Takes the objects of a repository, and those that are beside it.
    public init(_ repository: consuming Repository, lfs: LFSStore) {
        self.repository = repository
        self.lfs = lfs
    }

    /// What opens it once more, on another thread.
    public var source: ContentSource { ContentSource(openRepository: repository.again, lfs: lfs) }

    /// How many bytes a blob has, without reading it. A commit has none here.
    ///
    /// - Throws: `GitError` for an object that is not here.
    public borrowing func size(of content: ContentID) throws(GitError) -> Int64 {
        if case .blob(let id) = content { try repository.size(of: id) } else { 0 }
    }

    /// How many bytes are in memory while a leaf's are read at once.
    ///
    /// - Parameter size: the leaf's.
    public borrowing func room(for content: ContentID, size: Int64) throws(GitError) -> Int64 {
        // What is compressed, and what comes of it.
        if case .compressed(let blob) = content { try 2 * repository.size(of: blob.source) } else { size }
    }

    /// Whether the bytes of a leaf are here.
    public borrowing func contains(_ content: ContentID, size: Int64) throws(GitError) -> Bool {
        switch content {
        case .blob(let id): try repository.contains(id)
        case .lfs(let id): lfs.contains(LFSObject(id: id, size: size))
        case .compressed(let blob): try repository.contains(blob.source)
        case .commit: true
        }
    }

    /// Lends the bytes, piece by piece in their order; those of a small blob are one.
    ///
    /// - Throws: `GitError`, with `exceeded` for a blob that is larger than it may be; `LFSObjectMissing`; after either, nothing that was
    ///   lent may be used; what `body` throws.
    public borrowing func read(
        _ content: ContentID, size: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        switch content {
        case .blob(let id):
            if size >= Repository.streamedSize, try repository.streamBlob(id, size: size, body) { return }
            try repository.withBlob(id, body)
        case .lfs(let id): try lfs.read(LFSObject(id: id, size: size), body)
        case .compressed(let blob): try withCompressed(blob.source, body)
        case .commit: break
        }
    }

    /// The target of a symbolic link, which is a blob.
    public borrowing func target(of link: ContentID) throws -> [UInt8] {
        guard case .blob(let id) = link else { return [] }
        return try repository.withBlob(id) { Array($0) }
    }
}

/// What opens contents, on any thread.
public struct ContentSource: Sendable {
    let openRepository: @Sendable () throws -> Repository
    let lfs: LFSStore

    /// Contents for one thread.
    public func open() throws -> Contents { Contents(try openRepository(), lfs: lfs) }
}

/// Tells whether bytes that come piece by piece are those of a content.
public struct ContentCheck: ~Copyable {
    private let content: ContentID
    private var blob: BlobHasher
    private var object = LFSHasher()

    /// - Parameter size: how many bytes will come.
    public init(_ content: ContentID, size: Int64) {
        self.content = content
        blob = BlobHasher(size: size)
    }

    /// The next piece.
    public mutating func update(_ piece: UnsafeRawBufferPointer) {
        if content.isLFS { object.update(piece) } else { blob.update(piece) }
    }

    /// Whether they were all of them.
    public consuming func matches() -> Bool {
        switch content {
        case .lfs(let id): object.id() == id
        case .blob(let id): blob.id() == id
        case .compressed(let compressed): blob.id() == compressed.bytes
        case .commit: false
        }
    }
}

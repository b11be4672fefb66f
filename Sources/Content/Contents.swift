public import Git

/// The bytes behind content, for one thread; a `ContentSource` opens one for each.
public struct Contents: ~Copyable {
    /// The objects.
    public let repository: Repository

    /// Takes the objects of a repository.
    public init(_ repository: consuming Repository) { self.repository = repository }

    /// What opens it once more, on another thread.
    public var source: ContentSource { ContentSource(openRepository: repository.again) }

    /// How many bytes there are, without reading them. A commit has none here.
    ///
    /// - Throws: `GitError` for an object that is not here.
    public borrowing func size(of content: ContentID) throws(GitError) -> Int64 {
        switch content {
        case .blob(let id): try repository.size(of: id)
        case .commit: 0
        }
    }

    /// Whether all of it is here.
    public borrowing func contains(_ content: ContentID) throws(GitError) -> Bool {
        switch content {
        case .blob(let id): try repository.contains(id)
        case .commit: true
        }
    }

    /// Lends the bytes, piece by piece in their order; the pieces of a blob are one.
    ///
    /// - Throws: `GitError`, with `exceeded` for a blob that is larger than it may be; what `body` throws.
    public borrowing func read(_ content: ContentID, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        switch content {
        case .blob(let id): try repository.withBlob(id, body)
        case .commit: break
        }
    }

    /// All bytes of something short, as the target of a symbolic link is.
    public borrowing func bytes(of content: ContentID) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try read(content) { bytes += $0 }
        return bytes
    }
}

/// What opens contents, on any thread.
public struct ContentSource: Sendable {
    let openRepository: @Sendable () throws -> Repository

    /// Contents for one thread.
    public func open() throws -> Contents { Contents(try openRepository()) }
}

/// Tells whether bytes that come piece by piece are those of a content.
public struct ContentCheck: ~Copyable {
    private let content: ContentID
    private var hasher: BlobHasher

    /// - Parameter size: how many bytes will come.
    public init(_ content: ContentID, size: Int64) {
        self.content = content
        hasher = BlobHasher(size: size)
    }

    /// The next piece.
    public mutating func update(_ piece: UnsafeRawBufferPointer) { hasher.update(piece) }

    /// Whether they were all of them.
    public consuming func matches() -> Bool { .blob(hasher.id()) == content }
}

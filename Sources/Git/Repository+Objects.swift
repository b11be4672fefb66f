import CLibgit2

extension Repository {
    /// Whether the object is here.
    public borrowing func contains(_ id: ObjectID) throws(GitError) -> Bool {
        if packed.contains(id) { return true }
        let database = try database()
        defer { git_odb_free(database) }
        var oid = id.raw
        return git_odb_exists(database, &oid) == 1
    }

    /// A blob's size in bytes, read from its header.
    public borrowing func size(of blob: ObjectID) throws(GitError) -> Int64 {
        let header = try header(of: blob)
        guard header.kind == .blob else { throw .malformed("blob", "object \(blob) is not a blob") }
        return Int64(header.size)
    }

    /// Lends a blob's bytes. All of them are in memory for as long as `body` runs.
    ///
    /// - Throws: `GitError`, with `exceeded` for one that is larger than it may be.
    public borrowing func withBlob<Value>(
        _ id: ObjectID, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) throws -> Value {
        let object = try read(id, .blob)
        return try withExtendedLifetime(object) { try body(object.bytes) }
    }

    /// What an object is, and how many bytes it has.
    borrowing func header(of id: ObjectID) throws(GitError) -> (kind: ObjectKind, size: Int) {
        if let header = packed.header(of: id) { return header }
        let database = try database()
        defer { git_odb_free(database) }
        return try Self.header(of: id, in: database)
    }

    private static func header(
        of id: ObjectID, in database: OpaquePointer
    ) throws(GitError) -> (kind: ObjectKind, size: Int) {
        var oid = id.raw
        var size = 0
        var kind = GIT_OBJECT_INVALID
        try check("git_odb_read_header") { git_odb_read_header(&size, &kind, database, &oid) }
        guard let kind = ObjectKind(kind) else { throw .malformed("git_odb_read_header", "object \(id) is of no kind") }
        return (kind, size)
    }

    /// Lends an object's bytes. It is asked for its size first: one that is larger than it may be is not read.
    borrowing func withObject<Value>(
        _ id: ObjectID, _ kind: ObjectKind, _ body: (UnsafeRawBufferPointer) throws(GitError) -> Value
    ) throws(GitError) -> Value {
        let object = try read(id, kind)
        defer { withExtendedLifetime(object) {} }
        return try body(object.bytes)
    }

    /// An object in memory.
    borrowing func read(_ id: ObjectID, _ kind: ObjectKind) throws(GitError) -> StoredObject {
        if let object = packed.read(id, kind) { return object }
        let database = try database()
        defer { git_odb_free(database) }
        return try Self.read(id, kind, in: database)
    }

    static func read(
        _ id: ObjectID, _ kind: ObjectKind, in database: OpaquePointer
    ) throws(GitError) -> StoredObject {
        let header = try header(of: id, in: database)
        guard header.kind == kind else { throw .malformed("\(kind)", "object \(id) is not a \(kind)") }
        let limits = ObjectLimits.current
        let allowed = kind == .tree ? limits.tree : limits.blob
        guard header.size <= allowed else {
            throw GitError(
                call: "\(kind)",
                exceeding: ExceededLimit(
                    kind: kind == .tree ? .tree : .blob, what: "\(kind) \(id.abbreviated)", found: header.size,
                    allowed: allowed))
        }
        var oid = id.raw
        return StoredObject(kind, owning: try handle("git_odb_read") { git_odb_read(&$0, database, &oid) })
    }

    borrowing func database() throws(GitError) -> OpaquePointer {
        let pointer = pointer
        return try handle("git_repository_odb") { git_repository_odb(&$0, pointer) }
    }
}

/// The four kinds of object, by their numbers in a pack and in libgit2.
enum ObjectKind: UInt8 {
    case commit = 1
    case tree = 2
    case blob = 3
    case tag = 4

    /// Its name, in front of an object's bytes when that is named.
    var name: StaticString {
        switch self {
        case .commit: "commit"
        case .tree: "tree"
        case .blob: "blob"
        case .tag: "tag"
        }
    }

    /// `nil` for a difference, and for what is none.
    init?(number: UInt8) { self.init(rawValue: number) }

    init?(_ kind: git_object_t) {
        switch kind {
        case GIT_OBJECT_COMMIT: self = .commit
        case GIT_OBJECT_TREE: self = .tree
        case GIT_OBJECT_BLOB: self = .blob
        case GIT_OBJECT_TAG: self = .tag
        default: return nil
        }
    }
}

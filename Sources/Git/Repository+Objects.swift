import CLibgit2

extension Repository {
    /// Whether the object is here.
    public borrowing func contains(_ id: ObjectID) throws(GitError) -> Bool {
        let database = try database()
        defer { git_odb_free(database) }
        var oid = id.raw
        return git_odb_exists(database, &oid) == 1
    }

    /// A blob's size in bytes, read from its header.
    public borrowing func size(of blob: ObjectID) throws(GitError) -> Int64 {
        let database = try database()
        defer { git_odb_free(database) }
        var oid = blob.raw
        var size = 0
        var kind = GIT_OBJECT_INVALID
        try check("git_odb_read_header") { git_odb_read_header(&size, &kind, database, &oid) }
        guard kind == GIT_OBJECT_BLOB else {
            throw GitError(
                call: "git_odb_read_header", code: -1, message: "object \(blob) is not a blob", isMalformed: true)
        }
        return Int64(size)
    }

    /// Lends a blob's bytes. All of them are in memory for as long as `body` runs.
    public borrowing func withBlob<Value>(
        _ id: ObjectID, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) throws -> Value {
        var oid = id.raw
        let pointer = pointer
        let blob = try handle("git_blob_lookup") { git_blob_lookup(&$0, pointer, &oid) }
        defer { git_blob_free(blob) }
        return try body(
            UnsafeRawBufferPointer(start: git_blob_rawcontent(blob), count: Int(git_blob_rawsize(blob))))
    }

    borrowing func database() throws(GitError) -> OpaquePointer {
        let pointer = pointer
        return try handle("git_repository_odb") { git_repository_odb(&$0, pointer) }
    }
}

extension ObjectID {
    /// The name that git gives to a blob of these bytes.
    public init(hashing bytes: UnsafeRawBufferPointer) throws(GitError) {
        try Library.started.get()
        var oid = git_oid()
        // A null pointer with no bytes is refused.
        var empty: UInt8 = 0
        try check("git_odb_hash") {
            bytes.isEmpty
                ? git_odb_hash(&oid, &empty, 0, GIT_OBJECT_BLOB)
                : git_odb_hash(&oid, bytes.baseAddress, bytes.count, GIT_OBJECT_BLOB)
        }
        self.init(oid)
    }
}

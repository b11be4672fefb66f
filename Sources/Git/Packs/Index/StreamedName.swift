import CLibgit2

/// The name of an object whose bytes come piece by piece, with libgit2's look for collisions: a stream into a database that keeps
/// nothing, as libgit2 hands that hash out in no other way.
final class StreamedName {
    private let database: OpaquePointer
    private let stream: UnsafeMutablePointer<git_odb_stream>

    /// - Parameter size: how many bytes will come.
    init(_ kind: ObjectKind, size: UInt64) throws(GitError) {
        let database = try handle("git_odb_new") { git_odb_new(&$0) }
        do throws(GitError) {
            try check("git_odb_add_backend") { git_odb_add_backend(database, Self.backend(), 1) }
            var stream: UnsafeMutablePointer<git_odb_stream>?
            try check("git_odb_open_wstream") {
                git_odb_open_wstream(&stream, database, size, git_object_t(Int32(kind.rawValue)))
            }
            guard let stream else { throw GitError(call: "git_odb_open_wstream", code: -1, message: "no stream") }
            (self.database, self.stream) = (database, stream)
        } catch {
            git_odb_free(database)
            throw error
        }
    }

    deinit {
        git_odb_stream_free(stream)
        git_odb_free(database)
    }

    /// The next piece.
    func update(_ piece: UnsafeRawBufferPointer) throws(GitError) {
        try check("git_odb_stream_write") { git_odb_stream_write(stream, piece.baseAddress, piece.count) }
    }

    /// The name of what came.
    ///
    /// - Throws: `GitError` for bytes that were made to have the name of others (SHAttered).
    func id() throws(GitError) -> ObjectID {
        var oid = git_oid()
        try check("git_odb_stream_finalize_write") { git_odb_stream_finalize_write(&oid, stream) }
        return ObjectID(oid)
    }

    private static func backend() -> UnsafeMutablePointer<git_odb_backend> {
        let backend = UnsafeMutablePointer<git_odb_backend>.allocate(capacity: 1)
        backend.initialize(to: git_odb_backend())
        git_odb_init_backend(backend, UInt32(GIT_ODB_BACKEND_VERSION))
        backend.pointee.writestream = { out, backend, _, _ in
            let stream = UnsafeMutablePointer<git_odb_stream>.allocate(capacity: 1)
            stream.initialize(to: git_odb_stream())
            stream.pointee.backend = backend
            stream.pointee.mode = GIT_STREAM_WRONLY.rawValue
            stream.pointee.write = { _, _, _ in 0 }
            stream.pointee.finalize_write = { _, _ in 0 }
            stream.pointee.free = { $0?.deallocate() }
            out?.pointee = stream
            return 0
        }
        backend.pointee.free = { $0?.deallocate() }
        return backend
    }
}

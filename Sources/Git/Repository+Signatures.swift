extension Repository {
    /// What is signed of a commit.
    public borrowing func signedCommit(_ id: ObjectID) throws(GitError) -> SignedObject {
        try withObject(id, .commit) { bytes throws(GitError) in
            guard bytes.count <= SignedObject.maxBytes else {
                throw .malformed("commit", "commit \(id) has \(bytes.count) bytes, which is too large to be signed")
            }
            return SignedObject(commit: bytes)
        }
    }

    /// Reads a tag.
    public borrowing func tag(_ id: ObjectID) throws(GitError) -> AnnotatedTag {
        try withObject(id, .tag) { bytes throws(GitError) in
            guard bytes.count <= SignedObject.maxBytes else {
                throw .malformed("tag", "tag \(id) has \(bytes.count) bytes, which is too large to be signed")
            }
            return AnnotatedTag(reading: bytes)
        }
    }
}

extension Store {
    /// Copies an annotated tag, and those that it leads to its commit by.
    ///
    /// - Throws: `GitError` for either of them.
    public func copy(tag: ObjectID, from source: borrowing Repository) throws {
        guard try !open().contains(tag) else { return }
        var pack = PackWriter()
        var next: ObjectID? = tag
        while let id = next, try source.header(of: id).kind == .tag {
            pack.add(.tag, try source.withObject(id, .tag) { Array($0) })
            next = try source.tagTarget(of: id)
        }
        try admit(pack, bringing: tag)
    }
}

internal import Platform

/// The name that git gives to a blob whose bytes come piece by piece: SHA-1 of `blob <size>`, a NUL, and the bytes.
public struct BlobHasher: ~Copyable {
    private var hash = SHA1()

    /// - Parameter size: how many bytes will come.
    public init(size: Int64) {
        Array("blob \(size)\0".utf8).withUnsafeBytes { hash.update($0) }
    }

    /// The next piece.
    public mutating func update(_ piece: UnsafeRawBufferPointer) { hash.update(piece) }

    /// The name of what came.
    public consuming func id() -> ObjectID { hash.digest().withUnsafeBytes { ObjectID(bytes: $0) } }
}

extension ObjectID {
    /// The name that git gives to a blob of these bytes.
    public init(hashing bytes: UnsafeRawBufferPointer) {
        var hasher = BlobHasher(size: Int64(bytes.count))
        hasher.update(bytes)
        self = hasher.id()
    }
}

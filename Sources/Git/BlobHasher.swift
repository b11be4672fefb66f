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
    public consuming func id() -> ObjectID { hash.withDigest { ObjectID(bytes: $0) } }
}

extension ObjectID {
    /// The name that git gives to an object of these bytes, without a look for a collision: for what was named with one before.
    init(naming bytes: UnsafeRawBufferPointer, as kind: ObjectKind) {
        var hash = SHA1()
        kind.name.withUTF8Buffer { hash.update(UnsafeRawBufferPointer($0)) }
        withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { size in
            // A space, digits, a NUL, from behind.
            var (start, rest) = (size.count - 1, bytes.count)
            size[start] = 0
            repeat {
                start -= 1
                size[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            start -= 1
            size[start] = UInt8(ascii: " ")
            hash.update(UnsafeRawBufferPointer(rebasing: size[start...]))
        }
        hash.update(bytes)
        self = hash.withDigest { ObjectID(bytes: $0) }
    }

    /// The name that git gives to a blob of these bytes.
    public init(hashing bytes: UnsafeRawBufferPointer) {
        self.init(naming: bytes, as: .blob)
    }
}

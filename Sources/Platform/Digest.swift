internal import COpenSSL

/// SHA-1 (FIPS 180-4) of bytes that come piece by piece: what git names objects by.
public struct SHA1: Sendable {
    private var context = SHA_CTX()

    /// Of no bytes so far.
    public init() { SHA1_Init(&context) }

    /// The next piece.
    public mutating func update(_ piece: UnsafeRawBufferPointer) {
        SHA1_Update(&context, piece.baseAddress, piece.count)
    }

    /// The 20 bytes of the digest of what came.
    public func digest() -> [UInt8] { withDigest { Array($0) } }

    /// Lends them.
    public func withDigest<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        var end = context
        return withUnsafeTemporaryAllocation(byteCount: 20, alignment: 4) { bytes in
            SHA1_Final(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), &end)
            return body(UnsafeRawBufferPointer(bytes))
        }
    }
}

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece.
public struct SHA256: Sendable {
    private var context = SHA256_CTX()

    /// Of no bytes so far.
    public init() { SHA256_Init(&context) }

    /// The next piece.
    public mutating func update(_ piece: UnsafeRawBufferPointer) {
        SHA256_Update(&context, piece.baseAddress, piece.count)
    }

    /// The 32 bytes of the digest of what came.
    public func digest() -> [UInt8] {
        var end = context
        return [UInt8](unsafeUninitializedCapacity: 32) { bytes, count in
            SHA256_Final(bytes.baseAddress, &end)
            count = 32
        }
    }
}

/// HMAC-SHA256 (RFC 2104): what only somebody with the key can say of some bytes.
public struct MessageCode: Equatable, Sendable {
    /// The 32 bytes of it.
    public let bytes: [UInt8]

    /// The code of a message.
    public init(of message: [UInt8], key: some Sequence<UInt8>) {
        // An empty key has no address, and is a key like any other.
        let (key, size) = { ($0 + [0], $0.count) }(Array(key))
        bytes = [UInt8](unsafeUninitializedCapacity: 32) { bytes, count in
            COpenSSL.HMAC(EVP_sha256(), key, Int32(size), message, message.count, bytes.baseAddress, nil)
            count = 32
        }
    }

    /// Whether somebody else's code is this one. It takes as long whatever differs.
    public func equals(_ other: some Collection<UInt8>) -> Bool {
        let other = Array(other)
        return other.count == bytes.count && CRYPTO_memcmp(bytes, other, bytes.count) == 0
    }

    /// As `equals`.
    public static func == (left: MessageCode, right: MessageCode) -> Bool { left.equals(right.bytes) }
}

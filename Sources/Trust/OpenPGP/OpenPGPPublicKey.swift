import Platform

/// A public key or subkey of OpenPGP, version 4 (RFC 4880, section 5.5.2).
struct OpenPGPPublicKey {
    /// Seconds since 1970.
    let created: Int64
    /// What verifies; `nil` for a key of a kind that is not verified here, or that only encrypts.
    let key: PublicKey?
    /// 20 bytes.
    let fingerprint: [UInt8]
    /// As a signature over the key has it.
    let hashed: [UInt8]

    /// - Returns: `nil` for another version.
    init?(_ body: [UInt8]) throws(Malformed) {
        var reader = ByteReader(body)
        guard try reader.byte() == 4 else { return nil }
        created = Int64(try reader.number(bytes: 4))
        key = try Self.key(of: try reader.byte(), &reader).flatMap { $0.isValid ? $0 : nil }
        guard body.count <= 0xffff else { throw Malformed("a key of OpenPGP is too long") }
        var hashed: [UInt8] = [0x99]
        hashed.append(body.count, bytes: 2)
        self.hashed = hashed + body
        var digest = SHA1()
        self.hashed.withUnsafeBytes { digest.update($0) }
        fingerprint = digest.digest()
    }

    /// The last eight bytes of the fingerprint.
    var id: [UInt8] { Array(fingerprint.suffix(8)) }

    private static func key(of algorithm: UInt8, _ reader: inout ByteReader) throws(Malformed) -> PublicKey? {
        switch algorithm {
        case 1, 3:
            let modulus = try reader.multiprecision()
            return .rsa(exponent: try reader.multiprecision(), modulus: modulus)
        case 19:
            let identifier = try reader.bytes(Int(try reader.byte()))
            guard let curve = Curve.allCases.first(where: { $0.identifier == identifier }) else { return nil }
            return .ecdsa(curve, try reader.multiprecision())
        case 22:
            let identifier = try reader.bytes(Int(try reader.byte()))
            let point = try reader.multiprecision()
            guard identifier == Self.ed25519, point.count == 33, point[0] == 0x40 else { return nil }
            return .ed25519(Array(point.dropFirst()))
        case 27: return .ed25519(try reader.bytes(32))
        default: return nil
        }
    }

    /// 1.3.6.1.4.1.11591.15.1.
    private static let ed25519: [UInt8] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01]
}

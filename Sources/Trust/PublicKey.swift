internal import COpenSSL

/// A hash that a signature is made over.
enum HashAlgorithm: Sendable {
    case sha256, sha384, sha512

    fileprivate var method: OpaquePointer? {
        switch self {
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        }
    }

    func digest(of bytes: [UInt8]) -> [UInt8] {
        var size: UInt32 = 0
        return [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            EVP_Digest(bytes, bytes.count, buffer.baseAddress, &size, method, nil)
            count = Int(size)
        }
    }
}

/// A curve of NIST's (FIPS 186-4).
enum Curve: String, Sendable, CaseIterable {
    case p256 = "nistp256"
    case p384 = "nistp384"
    case p521 = "nistp521"

    /// Its object identifier in DER.
    var identifier: [UInt8] {
        switch self {
        case .p256: [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        case .p384: [0x2B, 0x81, 0x04, 0x00, 0x22]
        case .p521: [0x2B, 0x81, 0x04, 0x00, 0x23]
        }
    }

    /// The hash that SSH signs with it (RFC 5656, section 6.2.1).
    var hash: HashAlgorithm {
        switch self {
        case .p256: .sha256
        case .p384: .sha384
        case .p521: .sha512
        }
    }
}

/// What verifies signatures, however the key came.
enum PublicKey: Sendable, Hashable {
    /// 32 bytes (RFC 8032).
    case ed25519([UInt8])
    /// A point, uncompressed.
    case ecdsa(Curve, [UInt8])
    /// The exponent and the modulus, without leading zeros.
    case rsa(exponent: [UInt8], modulus: [UInt8])

    enum Signature {
        /// 64 bytes.
        case ed25519([UInt8])
        case ecdsa(r: [UInt8], s: [UInt8])
        /// PKCS #1 v1.5 (RFC 8017).
        case rsa([UInt8])
    }

    /// Bits of an RSA modulus, at least: shorter ones have been factored, or will be.
    static let leastBits = 2048

    /// Of an RSA modulus; `nil` for other keys, which are long enough.
    var bits: Int? {
        guard case .rsa(_, let modulus) = self else { return nil }
        return modulus.first.map { modulus.count * 8 - $0.leadingZeroBitCount } ?? 0
    }

    /// Whether a signature of some bytes is this key's. With Ed25519 there is no hash to choose.
    func verifies(_ signature: Signature, of bytes: [UInt8], _ hash: HashAlgorithm) -> Bool {
        defer { ERR_clear_error() }
        let encoded: [UInt8]
        switch (self, signature) {
        case (.ed25519, .ed25519(let bytes)): encoded = bytes
        case (.ecdsa, .ecdsa(let r, let s)): encoded = DER.sequence(DER.integer(r) + DER.integer(s))
        case (.rsa(_, let modulus), .rsa(let bytes)):
            guard bytes.count <= modulus.count, (bits ?? 0) >= Self.leastBits else { return false }
            encoded = [UInt8](repeating: 0, count: modulus.count - bytes.count) + bytes
        default: return false
        }
        guard let key = handle, let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            EVP_PKEY_free(key)
        }
        var method = hash.method
        if case .ed25519 = self { method = nil }
        guard EVP_DigestVerifyInit(context, nil, method, nil, key) == 1 else { return false }
        return EVP_DigestVerify(context, encoded, encoded.count, bytes, bytes.count) == 1
    }

    /// Whether OpenSSL takes it for a key: a point may be none of its curve.
    var isValid: Bool {
        defer { ERR_clear_error() }
        guard let key = handle else { return false }
        EVP_PKEY_free(key)
        return true
    }

    /// - Returns: what `EVP_PKEY_free` gives back.
    private var handle: OpaquePointer? {
        let der = subjectPublicKeyInfo
        return der.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return d2i_PUBKEY(nil, &start, bytes.count)
        }
    }

    /// RFC 5280, section 4.1.2.7, with the algorithms of RFC 8410, RFC 5480 and RFC 3279.
    private var subjectPublicKeyInfo: [UInt8] {
        switch self {
        case .ed25519(let key):
            DER.sequence(DER.sequence(DER.identifier([0x2B, 0x65, 0x70])) + DER.bits(key))
        case .ecdsa(let curve, let point):
            DER.sequence(
                DER.sequence(
                    DER.identifier([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]) + DER.identifier(curve.identifier))
                    + DER.bits(point))
        case .rsa(let exponent, let modulus):
            DER.sequence(
                DER.sequence(
                    DER.identifier([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]) + DER.null)
                    + DER.bits(DER.sequence(DER.integer(modulus) + DER.integer(exponent))))
        }
    }
}

/// As much of DER (X.690) as keys and signatures are written in.
private enum DER {
    static let null: [UInt8] = [5, 0]

    static func sequence(_ content: [UInt8]) -> [UInt8] { element(0x30, content) }
    static func identifier(_ content: [UInt8]) -> [UInt8] { element(6, content) }
    static func bits(_ content: [UInt8]) -> [UInt8] { element(3, [0] + content) }

    /// Of a number that is not negative.
    static func integer(_ number: [UInt8]) -> [UInt8] {
        let digits = Array(number.drop { $0 == 0 })
        return element(2, digits.first.map { $0 < 0x80 ? digits : [0] + digits } ?? [0])
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        if content.count < 0x80 {
            length = [UInt8(content.count)]
        } else {
            var digits: [UInt8] = []
            digits.append(content.count, bytes: 4)
            digits = Array(digits.drop { $0 == 0 })
            length = [0x80 | UInt8(digits.count)] + digits
        }
        return [tag] + length + content
    }
}

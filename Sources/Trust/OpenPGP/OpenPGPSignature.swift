import Platform

/// A signature of OpenPGP, version 4 (RFC 4880, section 5.2.3).
struct OpenPGPSignature {
    static let label = "PGP SIGNATURE"

    enum Kind: UInt8 {
        case binary = 0
        case genericCertification = 0x10
        case personaCertification = 0x11
        case casualCertification = 0x12
        case positiveCertification = 0x13
        case subkeyBinding = 0x18
        case primaryKeyBinding = 0x19
        case directKey = 0x1F
        case keyRevocation = 0x20
        case subkeyRevocation = 0x28
        case certificationRevocation = 0x30
    }

    /// `nil` for one that says nothing here.
    let kind: Kind?
    /// Seconds since 1970.
    let created: Int64
    /// After how many seconds it says nothing any more.
    let lifetime: Int64?
    /// After how many seconds its key ends.
    let keyLifetime: Int64?
    /// What the key may be used for.
    let flags: UInt8?
    /// Who has made it.
    let issuerFingerprint: [UInt8]?
    let issuerID: [UInt8]?
    /// The subkey's own signature, within the one that binds it.
    let embedded: [UInt8]?

    private let algorithm: UInt8
    private let hash: HashAlgorithm
    private let trailer: [UInt8]
    private let material: Material

    private enum Material {
        case one([UInt8])
        case two([UInt8], [UInt8])
        case raw([UInt8])
    }

    init(_ body: [UInt8]) throws(Malformed) {
        var reader = ByteReader(body)
        let version = try reader.byte()
        guard version == 4 else { throw Malformed(unsupported: "version \(version) of OpenPGP's signatures") }
        kind = Kind(rawValue: try reader.byte())
        algorithm = try reader.byte()
        hash = try Self.hash(try reader.byte())
        let hashedArea = try reader.bytes(try reader.number(bytes: 2))
        let unhashedArea = try reader.bytes(try reader.number(bytes: 2))
        _ = try reader.bytes(2)
        let signed = Array(body.prefix(6 + hashedArea.count))
        var trailer = signed + [4, 0xFF]
        trailer.append(signed.count, bytes: 4)
        self.trailer = trailer
        let (hashed, unhashed) = (try Subpackets(hashedArea), try Subpackets(unhashedArea))
        guard let created = try hashed.number(.created) else { throw Malformed("it does not say when it was made") }
        self.created = created
        // None at all, says 0.
        lifetime = try hashed.number(.lifetime).flatMap { $0 == 0 ? nil : $0 }
        keyLifetime = try hashed.number(.keyLifetime).flatMap { $0 == 0 ? nil : $0 }
        flags = hashed[.flags].map { $0.first ?? 0 }
        let fingerprint = hashed[.issuerFingerprint] ?? unhashed[.issuerFingerprint]
        issuerFingerprint = fingerprint.flatMap { $0.first == 4 && $0.count == 21 ? Array($0.dropFirst()) : nil }
        issuerID = hashed[.issuer] ?? unhashed[.issuer]
        embedded = hashed[.embedded] ?? unhashed[.embedded]
        switch algorithm {
        case 1, 3: material = .one(try reader.multiprecision())
        case 19, 22:
            let first = try reader.multiprecision()
            material = .two(first, try reader.multiprecision())
        case 27: material = .raw(try reader.bytes(64))
        default: throw Malformed(unsupported: "algorithm \(algorithm) of OpenPGP")
        }
        guard reader.isAtEnd else { throw Malformed("something follows it") }
    }

    private static func hash(_ number: UInt8) throws(Malformed) -> HashAlgorithm {
        switch number {
        case 8: return .sha256
        case 9: return .sha384
        case 10: return .sha512
        case 1: throw Malformed(unsupported: "it is made over MD5")
        case 2: throw Malformed(unsupported: "it is made over SHA-1")
        default: throw Malformed(unsupported: "it is made over hash \(number) of OpenPGP")
        }
    }

    /// Whether a key has signed these bytes so.
    func verifies(_ bytes: [UInt8], by key: PublicKey) -> Bool {
        let signed = bytes + trailer
        switch (material, key) {
        case (.one(let number), .rsa): return key.verifies(.rsa(number), of: signed, hash)
        case (.two(let r, let s), .ecdsa) where algorithm == 19:
            return key.verifies(.ecdsa(r: r, s: s), of: signed, hash)
        case (.two(let r, let s), .ed25519) where algorithm == 22 && r.count <= 32 && s.count <= 32:
            let padded = [r, s].flatMap { [UInt8](repeating: 0, count: 32 - $0.count) + $0 }
            return key.verifies(.ed25519(padded), of: hash.digest(of: signed), hash)
        case (.raw(let signature), .ed25519):
            return key.verifies(.ed25519(signature), of: hash.digest(of: signed), hash)
        default: return false
        }
    }

    /// Whether it may be that key's: it says so, or does not say whose it is.
    func names(_ key: OpenPGPPublicKey) -> Bool {
        if let issuerFingerprint { return issuerFingerprint == key.fingerprint }
        if let issuerID { return issuerID == key.id }
        return true
    }

    var namesIssuer: Bool { issuerFingerprint != nil || issuerID != nil }

    /// For people.
    var issuer: String {
        (issuerFingerprint ?? issuerID)?.hex.uppercased() ?? "a key that it does not name"
    }

    /// Whether it says nothing any more at a time.
    func isOver(at time: Int64) -> Bool { lifetime.map { created + $0 <= time } ?? false }
}

/// What a signature says besides (RFC 4880, section 5.2.3.1).
private struct Subpackets {
    enum Kind: UInt8 {
        case created = 2
        case lifetime = 3
        case keyLifetime = 9
        case issuer = 16
        case flags = 27
        case embedded = 32
        case issuerFingerprint = 33
    }

    /// Those that say nothing against a signature, whether they are understood here or not: critical ones of any other kind do.
    private static let harmless: Set<UInt8> = [2, 3, 4, 7, 9, 11, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33]

    private var found: [UInt8: [UInt8]] = [:]

    init(_ area: [UInt8]) throws(Malformed) {
        var reader = ByteReader(area)
        while !reader.isAtEnd {
            let length = try reader.subpacketLength()
            guard length > 0 else { throw Malformed("a part of it has no kind") }
            let kind = try reader.byte()
            let bytes = try reader.bytes(length - 1)
            if kind & 0x80 != 0, !Self.harmless.contains(kind & 0x7f) {
                throw Malformed(unsupported: "it has a critical part of the kind \(kind & 0x7f)")
            }
            // As GnuPG: of several the first.
            if found[kind & 0x7f] == nil { found[kind & 0x7f] = bytes }
        }
    }

    subscript(_ kind: Kind) -> [UInt8]? { found[kind.rawValue] }

    /// Of four bytes.
    func number(_ kind: Kind) throws(Malformed) -> Int64? {
        guard let bytes = self[kind] else { return nil }
        guard bytes.count == 4 else { throw Malformed("a part of it has the wrong length") }
        return bytes.reduce(0) { $0 << 8 | Int64($1) }
    }
}

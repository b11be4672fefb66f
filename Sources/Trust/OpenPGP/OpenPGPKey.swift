import Platform

/// A key of OpenPGP as it is handed on: the primary key, who it belongs to, its subkeys, and what it says of all of them (RFC 4880,
/// section 11.1).
struct OpenPGPKey {
    /// The user id that was bound first.
    let name: String
    private let isRevoked: Bool
    /// What may sign.
    private let signing: [SigningKey]

    private struct SigningKey {
        let key: OpenPGPPublicKey
        let isRevoked: Bool
        /// Seconds since 1970, of the key or of the primary key, whichever is sooner; `nil` for never.
        let end: Int64?
    }

    /// What verifies a signature, where it is one of this key's.
    ///
    /// - Returns: `nil` when another key has made it.
    /// - Throws: `Refusal`.
    func signer(of payload: [UInt8], _ signature: OpenPGPSignature) throws(Refusal) -> Signer? {
        var refusal: Refusal?
        for candidate in signing where signature.names(candidate.key) {
            let fingerprint = candidate.key.fingerprint.hex.uppercased()
            guard let key = candidate.key.key, signature.verifies(payload, by: key) else {
                refusal = refusal ?? .bad(fingerprint)
                continue
            }
            if isRevoked || candidate.isRevoked { throw .revoked(fingerprint) }
            if let bits = key.bits, bits < PublicKey.leastBits {
                throw .expired(fingerprint, "an RSA key of \(bits) bits is too short")
            }
            guard signature.created >= candidate.key.created else {
                throw .expired(fingerprint, "it says that it is older than the key")
            }
            if let end = candidate.end, end <= signature.created {
                throw .expired(fingerprint, "the key had expired when it was made")
            }
            return Signer(name: name, fingerprint: fingerprint)
        }
        if let refusal { throw refusal }
        return nil
    }

    /// Reads all keys of a block.
    static func read(_ bytes: [UInt8]) throws(Malformed) -> [OpenPGPKey] {
        var keys: [OpenPGPKey] = []
        var parts: Parts?
        for packet in try OpenPGPPacket.read(bytes) {
            switch packet.tag {
            case .secretKey, .secretSubkey: throw Malformed("it holds a private key: give the public one alone")
            case .publicKey:
                if let parts { keys.append(try OpenPGPKey(parts)) }
                guard let key = try OpenPGPPublicKey(packet.body) else {
                    throw Malformed(unsupported: "a key of OpenPGP of version \(packet.body.first ?? 0)")
                }
                parts = Parts(primary: key)
            case .signature: parts?.add(signature: packet.body)
            case .userID: parts?.components.append(Component(.userID(packet.body)))
            case .userAttribute: parts?.components.append(Component(.userAttribute(packet.body)))
            case .publicSubkey:
                let key = try OpenPGPPublicKey(packet.body)
                parts?.components.append(Component(key.map { .subkey($0) } ?? .other))
            case nil: break
            }
        }
        if let parts { keys.append(try OpenPGPKey(parts)) }
        guard !keys.isEmpty else { throw Malformed("it holds no public key") }
        return keys
    }
}

/// What follows a primary key, each with its signatures.
private struct Parts {
    let primary: OpenPGPPublicKey
    /// Signatures of the key itself.
    var direct: [OpenPGPSignature] = []
    var components: [Component] = []
    /// Why one of its own signatures is not read.
    var problem: Malformed?

    init(primary: OpenPGPPublicKey) { self.primary = primary }

    /// Those of others may be of kinds that are not read: they say nothing here.
    mutating func add(signature body: [UInt8]) {
        do throws(Malformed) {
            let signature = try OpenPGPSignature(body)
            if components.isEmpty {
                direct.append(signature)
            } else {
                components[components.count - 1].signatures.append(signature)
            }
        } catch {
            problem = problem ?? error
        }
    }
}

private struct Component {
    enum Kind {
        case userID([UInt8])
        case userAttribute([UInt8])
        case subkey(OpenPGPPublicKey)
        case other
    }

    let kind: Kind
    var signatures: [OpenPGPSignature] = []

    init(_ kind: Kind) { self.kind = kind }

    /// As a signature over it has it, after the primary key.
    var hashed: [UInt8] {
        func with(_ tag: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            var hashed = [tag]
            hashed.append(string: bytes)
            return hashed
        }
        return switch kind {
        case .userID(let bytes): with(0xB4, bytes)
        case .userAttribute(let bytes): with(0xD1, bytes)
        case .subkey(let key): key.hashed
        case .other: []
        }
    }
}

extension OpenPGPKey {
    /// May sign data.
    private static let maySign: UInt8 = 2

    /// Looks at every signature that the key has made of itself.
    private init(_ parts: Parts) throws(Malformed) {
        let primary = parts.primary
        let fingerprint = primary.fingerprint.hex.uppercased()
        guard let key = primary.key else {
            throw Malformed(unsupported: "\(fingerprint) is a key of a kind that is not verified here")
        }
        func own(
            _ signatures: [OpenPGPSignature], _ kinds: Set<OpenPGPSignature.Kind>, _ hashed: [UInt8] = []
        ) -> [OpenPGPSignature] {
            signatures.filter { signature in
                signature.kind.map { kinds.contains($0) } ?? false && signature.names(primary)
                    && signature.verifies(primary.hashed + hashed, by: key)
            }
        }
        var says = own(parts.direct, [.directKey])
        var isRevoked = !own(parts.direct, [.keyRevocation]).isEmpty
        var names: [[UInt8]] = []
        var subkeys: [(key: OpenPGPPublicKey, binding: OpenPGPSignature, isRevoked: Bool)] = []
        for part in parts.components {
            switch part.kind {
            case .userID(let bytes):
                let certifications = own(part.signatures, Self.certifications, part.hashed)
                let revocations = own(part.signatures, [.certificationRevocation], part.hashed)
                guard let newest = certifications.newest,
                    revocations.allSatisfy({ $0.created < newest.created })
                else { continue }
                says.append(newest)
                names.append(bytes)
            case .subkey(let subkey):
                // A revocation of the whole key may stand anywhere.
                isRevoked = isRevoked || !own(part.signatures, [.keyRevocation]).isEmpty
                guard let binding = own(part.signatures, [.subkeyBinding], part.hashed).newest else { continue }
                let isTakenBack = !own(part.signatures, [.subkeyRevocation], part.hashed).isEmpty
                subkeys.append((subkey, binding, isTakenBack))
            case .userAttribute, .other: continue
            }
        }
        guard let newest = says.newest else {
            let reason = parts.problem.map { ": \($0.reason)" } ?? ""
            throw Malformed("\(fingerprint) has no signature of its own that is valid\(reason)")
        }
        func end(_ key: OpenPGPPublicKey, _ lifetime: Int64?) -> Int64? { lifetime.map { key.created + $0 } }
        let primaryEnd = end(primary, newest.keyLifetime)
        var signing: [SigningKey] = []
        if newest.flags.map({ $0 & Self.maySign != 0 }) ?? true {
            signing.append(SigningKey(key: primary, isRevoked: isRevoked, end: primaryEnd))
        }
        for (subkey, binding, isTakenBack) in subkeys {
            guard let flags = binding.flags, flags & Self.maySign != 0,
                Self.isClaimed(primary, by: subkey, binding.embedded)
            else { continue }
            let ends = [primaryEnd, end(subkey, binding.keyLifetime)].compactMap { $0 }
            signing.append(SigningKey(key: subkey, isRevoked: isTakenBack, end: ends.min()))
        }
        (self.isRevoked, self.signing) = (isRevoked, signing)
        name = (names.first ?? []).asText.printable(limit: 100)
    }

    private static let certifications: Set<OpenPGPSignature.Kind> = [
        .genericCertification, .personaCertification, .casualCertification, .positiveCertification,
    ]

    /// Whether a subkey says itself that it is this key's: else anybody could say it of somebody else's (section 5.2.1, 0x19).
    private static func isClaimed(
        _ primary: OpenPGPPublicKey, by subkey: OpenPGPPublicKey, _ embedded: [UInt8]?
    ) -> Bool {
        guard let embedded, let key = subkey.key, let signature = try? OpenPGPSignature(embedded),
            signature.kind == .primaryKeyBinding
        else { return false }
        return signature.verifies(primary.hashed + subkey.hashed, by: key)
    }
}

extension [OpenPGPSignature] {
    fileprivate var newest: OpenPGPSignature? { self.max { $0.created < $1.created } }
}

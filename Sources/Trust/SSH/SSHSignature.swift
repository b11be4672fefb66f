import Platform

/// A signature that `ssh-keygen -Y sign` makes, which git calls for with `gpg.format=ssh` (PROTOCOL.sshsig).
struct SSHSignature {
    static let label = "SSH SIGNATURE"
    /// What git signs for.
    static let namespace = Array("git".utf8)

    let key: SSHPublicKey
    let namespace: [UInt8]
    private let reserved: [UInt8]
    private let hash: HashAlgorithm
    private let hashName: [UInt8]
    private let signature: [UInt8]

    init(_ bytes: [UInt8]) throws(Malformed) {
        var reader = ByteReader(bytes)
        guard try reader.bytes(6) == Array("SSHSIG".utf8) else { throw Malformed("it does not begin as one") }
        let version = try reader.number(bytes: 4)
        guard version == 1 else { throw Malformed("version \(version) is not known") }
        key = try SSHPublicKey(try reader.string())
        (namespace, reserved) = (try reader.string(), try reader.string())
        hashName = try reader.string()
        signature = try reader.string()
        guard reader.isAtEnd else { throw Malformed("something follows it") }
        switch hashName.asText {
        case "sha256": hash = .sha256
        case "sha512": hash = .sha512
        default: throw Malformed("its hash is not known: \(hashName.asText.printable(limit: 30))")
        }
    }

    /// Whether the key has signed these bytes.
    ///
    /// - Throws: `Malformed`, for what is not a signature of the key's kind.
    func verifies(_ payload: [UInt8]) throws(Malformed) -> Bool {
        var signed = Array("SSHSIG".utf8)
        for part in [namespace, reserved, hashName, hash.digest(of: payload)] { signed.append(string: part) }
        var reader = ByteReader(signature)
        let type = try reader.string().asText
        let value = try reader.string()
        var bytes = signed
        if let application = key.application {
            // What it signs begins with whom it signs for, and what it says of its user.
            let flags = try reader.byte()
            let counter = try reader.bytes(4)
            guard flags & 1 != 0 else { throw Malformed("the security key was not touched") }
            bytes = HashAlgorithm.sha256.digest(of: application) + [flags] + counter
            bytes += HashAlgorithm.sha256.digest(of: signed)
        }
        guard reader.isAtEnd else { throw Malformed("something follows it") }
        let (method, found) = try Self.signature(type, value, by: key)
        return key.key.verifies(found, of: bytes, method)
    }

    private static func signature(
        _ type: String, _ value: [UInt8], by key: SSHPublicKey
    ) throws(Malformed) -> (HashAlgorithm, PublicKey.Signature) {
        switch (key.key, type, key.application != nil) {
        case (.ed25519, "ssh-ed25519", false), (.ed25519, "sk-ssh-ed25519@openssh.com", true):
            guard value.count == 64 else { throw Malformed("a signature of Ed25519 has 64 bytes") }
            return (.sha512, .ed25519(value))
        case (.ecdsa(let curve, _), _, let isOfSecurityKey)
        where type
            == (isOfSecurityKey ? "sk-ecdsa-sha2-\(curve.rawValue)@openssh.com" : "ecdsa-sha2-\(curve.rawValue)"):
            var reader = ByteReader(value)
            let (r, s) = (try reader.number(), try reader.number())
            guard reader.isAtEnd else { throw Malformed("something follows it") }
            return (curve.hash, .ecdsa(r: r, s: s))
        case (.rsa, "rsa-sha2-256", false): return (.sha256, .rsa(value))
        case (.rsa, "rsa-sha2-512", false): return (.sha512, .rsa(value))
        case (.rsa, "ssh-rsa", false): throw Malformed("it is made over SHA-1")
        default: throw Malformed("it is of another kind than its key: \(type.printable(limit: 60))")
        }
    }
}

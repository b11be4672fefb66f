import FoundationEssentials
import Platform

/// A public key of OpenSSH's: what the second field of `id_ed25519.pub` holds (RFC 4253, section 6.6; RFC 5656; RFC 8709;
/// PROTOCOL.u2f).
struct SSHPublicKey: Sendable, Hashable {
    /// As it stands in files and signatures.
    let blob: [UInt8]
    let key: PublicKey
    /// What a security key signs for; `nil` for a key that is none.
    let application: [UInt8]?

    /// The names of kinds that can be verified.
    static let types: Set<String> = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ]

    /// Whether a word is the name of a kind of key, known here or not.
    static func isType(_ word: some Collection<UInt8>) -> Bool {
        let word = word.asText
        return types.contains(word) || word == "ssh-dss" || word.hasPrefix("ssh-") || word.hasPrefix("ecdsa-sha2-")
            || word.hasPrefix("sk-") && word.utf8.contains(UInt8(ascii: "@"))
            || word.hasPrefix("webauthn-sk-")
    }

    init(_ blob: [UInt8]) throws(Malformed) {
        var reader = ByteReader(blob)
        let type = try reader.string().asText
        guard Self.types.contains(type) else {
            throw Malformed(
                unsupported: type.hasSuffix("-cert-v01@openssh.com")
                    ? "a certificate of SSH" : "a key of the kind \(type.printable(limit: 60))")
        }
        switch type {
        case "ssh-ed25519", "sk-ssh-ed25519@openssh.com":
            let key = try reader.string()
            guard key.count == 32 else { throw Malformed("an Ed25519 key has 32 bytes") }
            self.key = .ed25519(key)
        case "ssh-rsa":
            let (exponent, modulus) = (try reader.number(), try reader.number())
            key = .rsa(exponent: exponent, modulus: modulus)
        default:
            let name = try reader.string().asText
            guard let curve = Curve(rawValue: name), type.contains("ecdsa-sha2-\(name)") else {
                throw Malformed("the curve is another than the kind of key says")
            }
            key = .ecdsa(curve, try reader.string())
        }
        application = type.hasPrefix("sk-") ? try reader.string() : nil
        guard reader.isAtEnd else { throw Malformed("something follows the key") }
        self.blob = blob
        guard key.isValid else { throw Malformed("it is no key of its kind") }
        if let bits = key.bits, bits < PublicKey.leastBits {
            throw Malformed("an RSA key of \(bits) bits is too short")
        }
    }

    /// As `ssh-keygen -l` shows it.
    var fingerprint: String {
        let text = Data(HashAlgorithm.sha256.digest(of: blob)).base64EncodedString()
        return "SHA256:" + text.prefix { $0 != "=" }
    }
}

extension ByteReader {
    /// A number that is not negative, without leading zeros (RFC 4251, section 5, mpint).
    mutating func number() throws(Malformed) -> [UInt8] {
        let bytes = try string()
        guard bytes.first.map({ $0 < 0x80 }) ?? true else { throw Malformed("a number is negative") }
        return Array(bytes.drop { $0 == 0 })
    }
}

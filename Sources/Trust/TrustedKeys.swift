import Platform

/// The keys of a file that may hold lines of an allowed signers file, lines of an authorized_keys file, and public key blocks of OpenPGP.
public struct TrustedKeys: Sendable {
    private let signers: [AllowedSigner]
    private let keys: [OpenPGPKey]

    /// Reads the file's bytes.
    ///
    /// - Throws: `MalformedKeys`: one line that cannot be read is an error, as to `ssh-keygen`.
    public init(reading bytes: [UInt8]) throws(MalformedKeys) {
        var (signers, keys) = ([AllowedSigner](), [OpenPGPKey]())
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        var index = 0
        var isEmpty = true
        while index < lines.count {
            let start = index
            let line = lines[index].trimmingEnd.drop { $0 == 32 || $0 == 9 }
            index += 1
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            isEmpty = false
            do throws(Malformed) {
                if line.starts(with: "-----BEGIN ".utf8) {
                    let label = Self.keyLabel
                    guard line.elementsEqual(Armor.begin(label).utf8) else {
                        throw Malformed("it begins something else than a \(label)")
                    }
                    let end = lines[index...].firstIndex { $0.trimmingEnd.elementsEqual(Armor.end(label).utf8) }
                    index = (end ?? lines.count - 1) + 1
                    keys += try OpenPGPKey.read(try Armor.decode(lines[start..<index], label, hasHeaders: true))
                } else if let signer = try AllowedSigner(line) {
                    signers.append(signer)
                }
            } catch {
                let reason = error.isUnsupported ? "not supported: \(error.reason)" : error.reason
                throw MalformedKeys(line: start + 1, reason: reason)
            }
        }
        guard !isEmpty else { throw MalformedKeys(line: 1, reason: "it names no key") }
        (self.signers, self.keys) = (signers, keys)
    }

    /// How many there are.
    public var count: Int { signers.count + keys.count }

    private static let keyLabel = "PGP PUBLIC KEY BLOCK"

    /// Tells who has signed something.
    ///
    /// - Parameters:
    ///   - payload: what was signed.
    ///   - signature: what stands for it in the object, from its first line on.
    ///   - time: when an SSH key has to be valid, in seconds since 1970. Keys of OpenPGP have to be at the time that their signature names.
    /// - Throws: `Refusal`.
    public func signer(of payload: [UInt8], _ signature: [UInt8], at time: Int64) throws(Refusal) -> Signer {
        guard !signature.isEmpty else { throw .unsigned }
        let parsed: Parsed
        do throws(Malformed) { parsed = try Parsed(signature) } catch { throw Refusal(error) }
        return switch parsed {
        case .ssh(let signature): try ssh(payload, signature, at: time)
        case .openPGP(let signatures): try openPGP(payload, signatures, at: time)
        }
    }

    private func ssh(_ payload: [UInt8], _ signature: SSHSignature, at time: Int64) throws(Refusal) -> Signer {
        let fingerprint = signature.key.fingerprint
        let lines = signers.filter { $0.key == signature.key }
        guard !lines.isEmpty else { throw .unknownKey(fingerprint) }
        let isGood: Bool
        do throws(Malformed) { isGood = try signature.verifies(payload) } catch { throw Refusal(error) }
        guard isGood else { throw .bad(fingerprint) }
        guard signature.namespace == SSHSignature.namespace else {
            throw .wrongNamespace("\(fingerprint) has signed for \(signature.namespace.asText.printable(limit: 60))")
        }
        // The first of its lines that allows it, as git asks for one principal after the other.
        var refusal = Refusal.unknownKey(fingerprint)
        for line in lines {
            do throws(Refusal) { return try line.allow(at: time) } catch { refusal = error }
        }
        throw refusal
    }

    private func openPGP(
        _ payload: [UInt8], _ signatures: [OpenPGPSignature], at time: Int64
    ) throws(Refusal) -> Signer {
        var refusal: Refusal?
        for signature in signatures {
            do throws(Refusal) {
                guard signature.kind == .binary else { throw .unsupported("it is not one of bytes") }
                // Whose it is, it says, as to gpg: nobody tries all keys for it.
                guard signature.namesIssuer else { throw .unknownKey(signature.issuer) }
                for key in keys {
                    guard let signer = try key.signer(of: payload, signature) else { continue }
                    guard !signature.isOver(at: time) else {
                        throw .expired(signature.issuer, "its own time is over")
                    }
                    return signer
                }
                throw .unknownKey(signature.issuer)
            } catch {
                refusal = refusal ?? error
            }
        }
        throw refusal ?? .unsigned
    }
}

/// A signature of one of the kinds that git makes (gitformat-signature(5)).
private enum Parsed {
    case ssh(SSHSignature)
    case openPGP([OpenPGPSignature])

    private static let most = 8

    init(_ signature: [UInt8]) throws(Malformed) {
        let lines = signature.split(separator: 10, omittingEmptySubsequences: false)
        switch lines.first.map({ $0.trimmingEnd.asText }) ?? "" {
        case Armor.begin(SSHSignature.label):
            try Self.expectOne(lines, Armor.end(SSHSignature.label))
            self = .ssh(try SSHSignature(try Armor.decode(lines, SSHSignature.label, hasHeaders: false)))
        case Armor.begin(OpenPGPSignature.label):
            try Self.expectOne(lines, Armor.end(OpenPGPSignature.label))
            var signatures: [OpenPGPSignature] = []
            for packet in try OpenPGPPacket.read(try Armor.decode(lines, OpenPGPSignature.label, hasHeaders: true)) {
                guard packet.tag == .signature else { throw Malformed("it holds something else than signatures") }
                // Each is verified over all that is signed, and a stranger chooses how many there are.
                guard signatures.count < Self.most else { throw Malformed("it holds too many signatures") }
                signatures.append(try OpenPGPSignature(packet.body))
            }
            self = .openPGP(signatures)
        case Armor.begin("SIGNED MESSAGE"): throw Malformed(unsupported: "X.509")
        case Armor.begin("PGP MESSAGE"): throw Malformed(unsupported: "a message of OpenPGP")
        default: throw Malformed("it does not begin as one")
        }
    }

    /// What is behind the end of one would be signed by nobody.
    private static func expectOne(_ lines: [ArraySlice<UInt8>], _ end: String) throws(Malformed) {
        let rest = lines.drop { !$0.trimmingEnd.elementsEqual(end.utf8) }.dropFirst()
        guard rest.allSatisfy({ $0.trimmingEnd.isEmpty }) else { throw Malformed("something follows it") }
    }
}

extension Refusal {
    fileprivate init(_ error: Malformed) {
        self = error.isUnsupported ? .unsupported(error.reason) : .malformed(error.reason)
    }
}

/// A line of the file that cannot be read.
public struct MalformedKeys: Error, Sendable, Equatable, CustomStringConvertible {
    /// From 1 on.
    public let line: Int
    let reason: String

    /// One sentence, of what stands there made printable.
    public var description: String { "line \(line): \(reason.printable())" }
}

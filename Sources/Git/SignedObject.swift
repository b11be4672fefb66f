/// What somebody has signed of a commit or an annotated tag, and the signature (gitformat-signature(5)).
public struct SignedObject: Sendable, Equatable {
    /// The bytes that the signature is of.
    public let payload: [UInt8]
    /// From its first line on; empty where there is none.
    public let signature: [UInt8]

    /// The largest commit or tag that is looked at, in bytes: it is hashed for each signature that it has.
    static let maxBytes = 4 << 20

    /// Of a commit: the header `gpgsig`, and all of it that is in no header that begins so. `mergetag` stays.
    public init(commit bytes: some Collection<UInt8>) {
        let (payload, signature) = Self.withoutSignatures(Array(bytes)[...])
        (self.payload, self.signature) = (payload, signature)
    }

    /// Of a tag: what begins with the last line that begins a signature, and all that is before it.
    public init(tag bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        let start = Self.lastSignature(in: bytes) ?? bytes.count
        // In repositories of another hash a header has the other signature.
        payload = Self.withoutSignatures(bytes[..<start]).payload
        signature = Array(bytes[start...])
    }

    private static func withoutSignatures(_ bytes: ArraySlice<UInt8>) -> (payload: [UInt8], signature: [UInt8]) {
        enum Header { case ours, others, signed }
        var (payload, signature) = ([UInt8](), [UInt8]())
        payload.reserveCapacity(bytes.count)
        var header = Header.signed
        var rest = bytes
        while let first = rest.first, first != 10 {
            let line = rest[..<((rest.firstIndex(of: 10) ?? rest.endIndex - 1) + 1)]
            rest = rest[line.endIndex...]
            if first == 32, header != .signed {
                if header == .ours { signature += line.dropFirst() }
                continue
            }
            if line.starts(with: "gpgsig ".utf8) {
                header = .ours
                signature += line.dropFirst("gpgsig ".utf8.count)
            } else if line.starts(with: "gpgsig".utf8) {
                header = .others
            } else {
                header = .signed
                payload += line
            }
        }
        return (payload + rest, signature)
    }

    private static let beginnings = ["PGP SIGNATURE", "PGP MESSAGE", "SIGNED MESSAGE", "SSH SIGNATURE"].map {
        Array("-----BEGIN \($0)-----".utf8)
    }

    private static func lastSignature(in bytes: [UInt8]) -> Int? {
        var (start, last): (Int, Int?) = (0, nil)
        while start < bytes.count {
            if beginnings.contains(where: { bytes[start...].starts(with: $0) }) { last = start }
            start = (bytes[start...].firstIndex(of: 10) ?? bytes.count - 1) + 1
        }
        return last
    }
}

/// An annotated tag.
public struct AnnotatedTag: Sendable, Equatable {
    /// As it calls itself: without `refs/tags/`.
    public let name: [UInt8]
    /// Whose signature it has.
    public let signed: SignedObject

    /// Of what is signed: a name that is not is nobody's.
    init(reading bytes: some Collection<UInt8>) {
        signed = SignedObject(tag: bytes)
        var name: [UInt8] = []
        var rest = signed.payload[...]
        while let end = rest.firstIndex(of: 10), end > rest.startIndex {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            guard line.starts(with: "tag ".utf8) else { continue }
            name = Array(line.dropFirst(4))
            break
        }
        self.name = name
    }
}

/// A packet of OpenPGP (RFC 4880, section 4).
struct OpenPGPPacket {
    enum Tag: UInt8 {
        case signature = 2
        case secretKey = 5
        case publicKey = 6
        case secretSubkey = 7
        case userID = 13
        case publicSubkey = 14
        case userAttribute = 17
    }

    /// `nil` for one that is not looked at.
    let tag: Tag?
    let body: [UInt8]

    static func read(_ bytes: [UInt8]) throws(Malformed) -> [OpenPGPPacket] {
        var reader = ByteReader(bytes)
        var packets: [OpenPGPPacket] = []
        while !reader.isAtEnd {
            let first = try reader.byte()
            guard first & 0x80 != 0 else { throw Malformed("a packet of OpenPGP does not begin as one") }
            let isNew = first & 0x40 != 0
            let length =
                isNew
                ? try reader.newLength()
                : try reader.number(bytes: try Self.oldLengthBytes(first & 3))
            packets.append(
                OpenPGPPacket(
                    tag: Tag(rawValue: isNew ? first & 0x3f : (first >> 2) & 0xf), body: try reader.bytes(length)))
        }
        return packets
    }

    private static func oldLengthBytes(_ kind: UInt8) throws(Malformed) -> Int {
        guard kind < 3 else { throw Malformed("a packet of OpenPGP has no length") }
        return 1 << Int(kind)
    }
}

extension ByteReader {
    /// A length in one, two or five bytes (RFC 4880, section 4.2.2).
    mutating func newLength() throws(Malformed) -> Int {
        let first = Int(try byte())
        switch first {
        case 0..<192: return first
        case 192..<224: return (first - 192) << 8 + Int(try byte()) + 192
        case 255: return try number(bytes: 4)
        default: throw Malformed("a packet of OpenPGP comes in parts")
        }
    }

    /// As `newLength`, of a subpacket: two bytes reach further (section 5.2.3.1).
    mutating func subpacketLength() throws(Malformed) -> Int {
        let first = Int(try byte())
        switch first {
        case 0..<192: return first
        case 255: return try number(bytes: 4)
        default: return (first - 192) << 8 + Int(try byte()) + 192
        }
    }

    /// A number with its length in bits before it (section 3.2), without leading zeros.
    mutating func multiprecision() throws(Malformed) -> [UInt8] {
        let bits = try number(bytes: 2)
        return Array(try bytes((bits + 7) / 8).drop { $0 == 0 })
    }
}

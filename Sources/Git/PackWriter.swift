import Platform
/// Makes a pack of a few small objects (gitformat-pack(5)). They are stored as they are: a store compresses them when it is
/// compacted.
struct PackWriter {
    private var objects: [UInt8] = []
    private var count: UInt32 = 0

    /// Kinds of object by their number in a pack.
    enum Kind: UInt8 {
        case commit = 1
        case tree = 2
        case tag = 4
    }

    mutating func add(_ kind: Kind, _ bytes: [UInt8]) {
        count += 1
        // The size in 4 bits behind the kind, then in groups of 7, the lowest first.
        var rest = bytes.count >> 4
        objects.append((rest > 0 ? 0x80 : 0) | kind.rawValue << 4 | UInt8(bytes.count & 15))
        while rest > 0 {
            objects.append((rest > 127 ? 0x80 : 0) | UInt8(rest & 127))
            rest >>= 7
        }
        objects += Self.stored(bytes)
    }

    /// zlib's format (RFC 1950) around blocks that are not compressed (RFC 1951, section 3.2.4).
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [0x78, 0x01]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            let size = UInt16(block.count)
            out.append(rest.isEmpty ? 1 : 0)
            for value in [size, ~size] { out += [UInt8(value & 255), UInt8(value >> 8)] }
            out += block
        } while !rest.isEmpty
        return out + bigEndian(adler32(bytes))
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(value >> $0 & 255) }
    }

    /// All of it.
    var bytes: [UInt8] {
        let pack = Array("PACK".utf8) + Self.bigEndian(2) + Self.bigEndian(count) + objects
        var hash = SHA1()
        pack.withUnsafeBytes { hash.update($0) }
        return pack + hash.digest()
    }
}

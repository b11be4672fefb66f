import Foundation

/// A pack made by hand (gitformat-pack(5)), in which anything may be wrong.
public struct PackBytes: Sendable {
    /// What precedes the checksum, without the header.
    private var entries: [UInt8] = []
    /// How many entries it has.
    public private(set) var count = 0

    /// Of the first byte of the entries.
    private static let headerSize = 12

    /// With these objects in this order.
    public init(_ objects: [RawObject] = []) { for object in objects { add(object) } }

    /// Where the next entry will begin.
    public var offset: Int { Self.headerSize + entries.count }

    /// An object, as it is.
    public mutating func add(_ object: RawObject) {
        add(type: object.kind.number, size: object.body.count, deflated: Deflate.stored(object.body))
    }

    /// One that python made.
    public mutating func add(_ object: BulkObject) {
        add(type: object.kind.number, size: object.size, deflated: object.deflated)
    }

    /// A delta onto an object that is named.
    public mutating func add(_ delta: Delta, onto base: RawID, size: Int? = nil) {
        add(type: 7, size: size ?? delta.bytes.count, base: base.bytes, deflated: Deflate.stored(delta.bytes))
    }

    /// A delta onto an entry that began so many bytes before.
    public mutating func add(_ delta: Delta, back distance: Int) {
        var digits = [UInt8(distance & 0x7f)]
        var rest = distance >> 7
        while rest > 0 {
            rest -= 1
            digits.insert(UInt8(rest & 0x7f) | 0x80, at: 0)
            rest >>= 7
        }
        add(type: 6, size: delta.bytes.count, base: digits, deflated: Deflate.stored(delta.bytes))
    }

    /// An entry of any type and size.
    public mutating func add(type: UInt8, size: Int, base: [UInt8] = [], deflated: [UInt8]) {
        var rest = size >> 4
        entries.append(type << 4 | UInt8(size & 15) | (rest > 0 ? 0x80 : 0))
        while rest > 0 {
            entries.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
            rest >>= 7
        }
        entries += base + deflated
        count += 1
    }

    /// Entries that are there already, one after the other.
    public mutating func add(entries bytes: [UInt8], count: Int) {
        entries += bytes
        self.count += count
    }

    /// With its header and its checksum.
    ///
    /// - Parameter announced: how many objects the header tells of; `nil` is the truth.
    public func whole(announcing announced: UInt32? = nil, version: UInt32 = 2) throws -> [UInt8] {
        var bytes = Array("PACK".utf8) + version.bigEndianBytes + (announced ?? UInt32(count)).bigEndianBytes
        bytes += entries
        return bytes + (try SHA1.digest(bytes))
    }
}

/// How an object is made of another one.
public struct Delta: Sendable {
    /// The sizes of both, and then what was added.
    public private(set) var bytes: [UInt8]

    /// - Parameters:
    ///   - base: how large it says that the base is.
    ///   - result: how large it says that the result is.
    public init(from base: Int, to result: Int) { bytes = Self.number(base) + Self.number(result) }

    /// Takes so many bytes from the base's beginning.
    public init(from base: Int, to result: Int, copying count: Int) {
        self.init(from: base, to: result)
        copy(from: 0, count: count)
    }

    /// Takes a part of the base, from less than 4 GB on.
    public mutating func copy(from offset: Int, count: Int) {
        // An instruction has room for so many.
        for start in stride(from: 0, to: count, by: 0xffffff) {
            bytes.append(0xff)
            for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: (offset + start) >> shift)) }
            let part = min(count - start, 0xffffff)
            for shift in [0, 8, 16] { bytes.append(UInt8(truncatingIfNeeded: part >> shift)) }
        }
    }

    /// Adds up to 127 bytes.
    public mutating func insert(_ text: String) { bytes += [UInt8(text.utf8.count)] + Array(text.utf8) }

    /// Adds anything.
    public mutating func append(_ more: [UInt8]) { bytes += more }

    private static func number(_ value: Int) -> [UInt8] {
        var (rest, digits) = (value, [UInt8]())
        repeat {
            digits.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return digits
    }
}

/// zlib's format (RFC 1950).
public enum Deflate {
    /// The bytes as they are, in blocks that say so: what is small needs no library.
    public static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let end = min(start + 0xffff, bytes.count)
            let size = UInt16(end - start)
            result.append(end == bytes.count ? 1 : 0)
            result += size.bigEndianBytes.reversed() + (~size).bigEndianBytes.reversed()
            result += bytes[start..<end]
            start = end
        } while start < bytes.count
        return result + checksum(bytes).bigEndianBytes
    }

    /// Adler-32.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a += UInt32(byte)
            if a >= 65_521 { a -= 65_521 }
            b += a
            if b >= 65_521 { b -= 65_521 }
        }
        return b << 16 | a
    }
}

/// Takes what strangers sent apart: nothing is read beyond its end.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) { rest = Array(bytes)[...] }

    var isAtEnd: Bool { rest.isEmpty }
    var count: Int { rest.count }

    mutating func byte() throws(Malformed) -> UInt8 {
        guard let byte = rest.popFirst() else { throw Malformed("it is cut off") }
        return byte
    }

    /// A number of so many bytes, the first of which weighs most.
    mutating func number(bytes count: Int) throws(Malformed) -> Int {
        try bytes(count).reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func bytes(_ count: Int) throws(Malformed) -> [UInt8] {
        guard count >= 0, count <= rest.count else { throw Malformed("it is cut off") }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// A length of four bytes, and so many bytes (RFC 4251, section 5).
    mutating func string() throws(Malformed) -> [UInt8] { try bytes(number(bytes: 4)) }

    /// All that is left.
    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}

/// Bytes that are not what they should be, or what is not read here.
struct Malformed: Error, Equatable {
    let reason: String
    /// Whether they may be well-formed.
    var isUnsupported = false

    init(_ reason: String) { self.reason = reason }

    init(unsupported what: String) { (reason, isUnsupported) = (what, true) }
}

extension [UInt8] {
    /// A number, the first byte of which weighs most.
    mutating func append(_ number: Int, bytes count: Int) {
        for shift in stride(from: (count - 1) * 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// A length of four bytes, and the bytes.
    mutating func append(string bytes: [UInt8]) {
        append(bytes.count, bytes: 4)
        self += bytes
    }

    var hex: String { map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined() }
}

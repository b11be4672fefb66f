import CLibgit2

/// The SHA-1 name of a git object, as a value.
public struct ObjectID: Hashable, Sendable, CustomStringConvertible {
    /// The twenty bytes, in three words so that hashing and comparing need no memory.
    private let words: (UInt64, UInt64, UInt32)

    /// Reads forty hexadecimal digits of either case; `nil` for anything else.
    public init?(hex: some StringProtocol) { self.init(hexDigits: hex.utf8) }

    /// Reads forty hexadecimal digits of either case; `nil` for anything else.
    public init?(hexDigits: some Collection<UInt8>) {
        guard hexDigits.count == 40 else { return nil }
        var digits = hexDigits.makeIterator()
        func word(_ count: Int) -> UInt64? {
            var value: UInt64 = 0
            for _ in 0..<count {
                let digit: UInt8
                switch digits.next() {
                case let byte? where (48...57).contains(byte): digit = byte - 48
                case let byte? where (97...102).contains(byte): digit = byte - 87
                case let byte? where (65...70).contains(byte): digit = byte - 55
                default: return nil
                }
                value = value << 4 | UInt64(digit)
            }
            return value
        }
        // Not by libgit2, whose errors need the library to be running.
        guard let first = word(16), let second = word(16), let third = word(8) else { return nil }
        words = (first, second, UInt32(third))
    }

    init(_ oid: git_oid) { self = withUnsafeBytes(of: oid.id) { ObjectID(bytes: $0) } }

    /// Takes twenty bytes as they are.
    public init(bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == 20)
        words = (
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        )
    }

    /// Lends the twenty bytes.
    public func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try withUnsafeBytes(of: raw.id) { try body($0) }
    }

    /// The name that stands for no object.
    public static let zero = ObjectID(words: (0, 0, 0))

    private init(words: (UInt64, UInt64, UInt32)) { self.words = words }

    /// What libgit2's functions take.
    var raw: git_oid {
        var oid = git_oid()
        withUnsafeMutableBytes(of: &oid.id) { bytes in
            bytes.storeBytes(of: words.0.bigEndian, toByteOffset: 0, as: UInt64.self)
            bytes.storeBytes(of: words.1.bigEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: words.2.bigEndian, toByteOffset: 16, as: UInt32.self)
        }
        return oid
    }

    /// The first 64 bits: as good as random, and the same wherever the same bytes are.
    public var prefix: UInt64 { words.0 }

    /// Whether its bytes come before another's.
    func precedes(_ other: ObjectID) -> Bool { words < other.words }

    /// Forty lower-case hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 40) { text in
            var position = 0
            func append(_ word: UInt64, nibbles: Int) {
                for shift in stride(from: (nibbles - 1) * 4, through: 0, by: -4) {
                    text[position] = digits[Int((word >> UInt64(shift)) & 15)]
                    position += 1
                }
            }
            append(words.0, nibbles: 16)
            append(words.1, nibbles: 16)
            append(UInt64(words.2), nibbles: 8)
            return position
        }
    }

    /// The first ten digits, for people.
    public var abbreviated: String { String(description.prefix(10)) }

    /// Equal when all twenty bytes are.
    public static func == (left: ObjectID, right: ObjectID) -> Bool { left.words == right.words }

    /// Feeds the first words only: a SHA-1 is evenly spread already.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.2)
    }
}

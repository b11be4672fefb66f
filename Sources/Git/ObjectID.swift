import CLibgit2

/// The SHA-1 name of a git object, as a value.
public struct ObjectID: Hashable, Sendable, CustomStringConvertible {
    /// The twenty bytes, in three words so that hashing and comparing need no memory.
    private let words: (UInt64, UInt64, UInt32)

    /// Reads forty hexadecimal digits of either case; `nil` for anything else.
    public init?(hex: some StringProtocol) {
        guard hex.utf8.count == 40 else { return nil }
        var oid = git_oid()
        guard git_oid_fromstrn(&oid, String(hex), 40) == 0 else { return nil }
        self.init(oid)
    }

    init(_ oid: git_oid) {
        words = withUnsafeBytes(of: oid.id) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
            )
        }
    }

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

import Platform

/// An object of Git LFS, as a pointer names it.
public struct LFSObject: Hashable, Sendable {
    /// Its name.
    public let id: LFSObjectID
    /// Its bytes.
    public let size: Int64

    /// Names its parts.
    public init(id: LFSObjectID, size: Int64) { (self.id, self.size) = (id, size) }

    /// The one without bytes: it has to be brought from nowhere.
    public static let empty = LFSObject(id: LFSHasher().id(), size: 0)
}

/// The name of an object of Git LFS: the SHA-256 of its bytes (git-lfs, docs/spec.md).
public struct LFSObjectID: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of a name.
    public static let length = 32

    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Reads 64 hexadecimal digits, as git-lfs writes them in small letters; `nil` for anything else.
    public init?(hex digits: some Collection<UInt8>) {
        guard digits.count == 2 * Self.length else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, digit) in digits.enumerated() {
            let value: UInt8
            switch digit {
            case 48...57: value = digit - 48
            case 97...102: value = digit - 87
            default: return nil
            }
            words[index / 16] = words[index / 16] << 4 | UInt64(value)
        }
        self.words = (words[0], words[1], words[2], words[3])
    }

    /// Takes 32 bytes as they are.
    public init(bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == Self.length)
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for word in [words.0, words.1, words.2, words.3] {
            withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// The first 64 bits: as good as random, and the same wherever the same bytes are.
    public var prefix: UInt64 { words.0 }

    /// 64 lower-case hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }.asText
    }

    /// Equal when all bytes are.
    public static func == (left: LFSObjectID, right: LFSObjectID) -> Bool { left.words == right.words }

    /// Feeds the first word only: a SHA-256 is evenly spread already.
    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// The name of an object whose bytes come piece by piece.
public struct LFSHasher: Sendable {
    private var hash = SHA256()

    /// Of no bytes so far.
    public init() {}

    /// The next piece.
    public mutating func update(_ piece: UnsafeRawBufferPointer) { hash.update(piece) }

    /// The name of what came.
    public func id() -> LFSObjectID { hash.digest().withUnsafeBytes { LFSObjectID(bytes: $0) } }
}

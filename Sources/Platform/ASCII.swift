/// What readers of addresses, versions and lists see: bytes. A `Character` may be a delimiter and what combines with it.
extension UInt8 {
    /// Of ASCII.
    public var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// Of ASCII.
    public var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercasedASCII) }

    /// Of ASCII.
    public var isControl: Bool { self < 32 || self == 127 }

    /// `A` to `Z` in small.
    public var lowercasedASCII: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }

    fileprivate var hexValue: UInt8? {
        switch lowercasedASCII {
        case let byte where byte.isDigit: byte - UInt8(ascii: "0")
        case let byte where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension Collection<UInt8> {
    /// What is not UTF-8 in it is replaced.
    public var asText: String { String(decoding: self, as: UTF8.self) }

    /// `A` to `Z` in small.
    public var lowercasedASCII: [UInt8] { map(\.lowercasedASCII) }

    /// Whether they differ in `A` to `Z` at most.
    public func equalsIgnoringCase(_ other: some Collection<UInt8>) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.lowercasedASCII == $1.lowercasedASCII }
    }

    /// As git decodes it: what is no pair of digits, and a zero byte, is left as it is.
    public var percentDecoded: [UInt8] {
        var bytes: [UInt8] = []
        var rest = self[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap(\.hexValue)
            if byte == UInt8(ascii: "%"), digits.count == 2, digits != [0, 0] {
                bytes.append(digits[0] << 4 | digits[1])
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}

extension BidirectionalCollection<UInt8> {
    /// Without spaces and tabs at its ends.
    public var trimmingSpaces: SubSequence {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return self[startIndex..<startIndex]
        }
        return self[first...last]
    }
}

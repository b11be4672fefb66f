/// What a pattern is made of once its characters are read.
enum GlobToken: Equatable {
    /// This byte.
    case byte(UInt8)
    /// `?` and `[…]`: one of these bytes, never a slash.
    case one(Set<UInt8>)
    /// `*`: any bytes but slashes.
    case star
    /// `**` at the end: any bytes.
    case deep
    /// `**/`: no folder, or any number of them.
    case folders

    var byte: UInt8? { if case .byte(let byte) = self { byte } else { nil } }
    var isByte: Bool { byte != nil }

    /// Reads a pattern without its `!` and the slashes at its ends.
    static func parse(_ pattern: [UInt8]) throws(InvalidPattern.Reason) -> [GlobToken] {
        var (tokens, position) = ([GlobToken](), 0)
        // git compares the bytes before the first wildcard on their own and takes what follows for a pattern of its own. So
        // its `**` also crosses folders in `a/b**/c`, where gitignore(5) promises less.
        let start = pattern.firstIndex { "*?[\\".utf8.contains($0) } ?? pattern.count
        while position < pattern.count {
            let byte = pattern[position]
            switch byte {
            case UInt8(ascii: "*"):
                let first = position
                while position < pattern.count, pattern[position] == byte { position += 1 }
                let isWhole = first == start || pattern[first - 1] == UInt8(ascii: "/")
                let next = pattern[position...].prefix(2)
                if position - first == 1 || !isWhole {
                    tokens.append(.star)
                } else if next.isEmpty || next.elementsEqual("\\/".utf8) {
                    tokens.append(.deep)
                } else if next.first == UInt8(ascii: "/") {
                    if tokens.last != .folders { tokens.append(.folders) }
                    position += 1
                } else {
                    tokens.append(.star)
                }
                continue
            case UInt8(ascii: "?"): tokens.append(.one(Set(1...255)))
            case UInt8(ascii: "["):
                var set = BracketSet(pattern, at: position + 1)
                tokens.append(.one(try set.parse()))
                position = set.position
            case UInt8(ascii: "\\"):
                position += 1
                if position == pattern.count { throw .backslash }
                tokens.append(.byte(pattern[position]))
            default: tokens.append(.byte(byte))
            }
            position += 1
        }
        return tokens
    }
}

/// Reads `[…]` as git's wildmatch does: `!` or `^` negates, `]` in the first place and what follows a backslash stand for
/// themselves, and bytes count, not characters.
struct BracketSet {
    private let pattern: [UInt8]
    /// Behind what was read; at the closing bracket in the end.
    private(set) var position: Int

    init(_ pattern: [UInt8], at position: Int) {
        self.pattern = pattern
        self.position = position
    }

    mutating func parse() throws(InvalidPattern.Reason) -> Set<UInt8> {
        var set: Set<UInt8> = []
        let isNegated = [UInt8(ascii: "!"), UInt8(ascii: "^")].contains(peek())
        if isNegated { position += 1 }
        // What a `-` would begin from.
        var previous: UInt8?
        repeat {
            let byte = try next()
            if byte == UInt8(ascii: "-"), let low = previous, let end = peek(), end != UInt8(ascii: "]") {
                let high = try literal(next())
                if low <= high { set.formUnion(low...high) }
                previous = nil
            } else if byte == UInt8(ascii: "["), peek() == UInt8(ascii: ":"), let members = try characterClass() {
                set.formUnion(members)
                previous = nil
            } else {
                previous = try literal(byte)
                set.insert(previous!)
            }
        } while peek() != UInt8(ascii: "]")
        return isNegated ? Set(1...255).subtracting(set) : set
    }

    private func peek() -> UInt8? { position < pattern.count ? pattern[position] : nil }

    private mutating func next() throws(InvalidPattern.Reason) -> UInt8 {
        guard let byte = peek() else { throw .bracket }
        position += 1
        return byte
    }

    private mutating func literal(_ byte: UInt8) throws(InvalidPattern.Reason) -> UInt8 {
        byte == UInt8(ascii: "\\") ? try next() : byte
    }

    /// `[:name:]`, from its colon on; `nil` where no `:]` ends it, which makes it ordinary bytes.
    private mutating func characterClass() throws(InvalidPattern.Reason) -> [UInt8]? {
        guard let end = pattern[position...].firstIndex(of: UInt8(ascii: "]")) else { throw .bracket }
        guard end - position >= 2, pattern[end - 1] == UInt8(ascii: ":") else { return nil }
        let name = String(decoding: pattern[(position + 1)..<(end - 1)], as: UTF8.self)
        guard let members = Self.classes[name] else { throw .characterClass }
        position = end + 1
        return members
    }

    /// In ASCII, whatever the locale; `space` without the two tabulators and feeds that git's own table leaves out.
    private static let classes: [String: [UInt8]] = {
        let (digits, lower, upper) = (Array(UInt8(48)...57), Array(UInt8(97)...122), Array(UInt8(65)...90))
        let (visible, blank) = (Array(UInt8(33)...126), [UInt8(9), 32])
        let alphanumeric = digits + lower + upper
        return [
            "alnum": alphanumeric, "alpha": lower + upper, "blank": blank, "cntrl": Array(1...31) + [127],
            "digit": digits, "graph": visible, "lower": lower, "print": [32] + visible,
            "punct": visible.filter { !alphanumeric.contains($0) }, "space": [9, 10, 13, 32], "upper": upper,
            "xdigit": digits + Array(97...102) + Array(65...70),
        ]
    }()
}

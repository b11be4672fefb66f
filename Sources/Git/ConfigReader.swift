import Platform

/// Something in a file of configuration that git does not take either.
public struct MalformedConfig: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence.
    public let description: String
}

/// Reads variables in the syntax of git-config(1).
struct ConfigReader {
    struct Variable {
        /// In lower case; `nil` before any.
        let section: [UInt8]?
        let subsection: [UInt8]?
        /// In lower case.
        let key: [UInt8]
        /// `nil` for one without `=`.
        let value: [UInt8]?
        let line: Int
    }

    private var rest: ArraySlice<UInt8>
    private var line = 1
    private var section: (name: [UInt8], subsection: [UInt8]?)?

    init(_ bytes: [UInt8]) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        rest = bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...]
    }

    /// The next byte, the end of a line of another system as the one of this; `nil` at the end.
    private mutating func take() -> UInt8? {
        guard var byte = rest.popFirst() else { return nil }
        if byte == 13, rest.first == 10 { byte = rest.removeFirst() }
        if byte == 10 { line += 1 }
        return byte
    }

    private var bad: MalformedConfig { MalformedConfig(description: "line \(line) is no configuration") }

    mutating func next() throws(MalformedConfig) -> Variable? {
        while let byte = take() {
            switch byte {
            case _ where Self.isSpace(byte): continue
            case UInt8(ascii: "#"), UInt8(ascii: ";"):
                while let byte = take(), byte != 10 {}
            case UInt8(ascii: "["): try takeSection()
            case _ where byte.isLetter: return try takeVariable(byte)
            default: throw bad
            }
        }
        return nil
    }

    private mutating func takeSection() throws(MalformedConfig) {
        var name: [UInt8] = []
        while let byte = take() {
            if byte == UInt8(ascii: "]") {
                section = (name, nil)
                return
            }
            if byte == 32 || byte == 9 {
                section = (name, try takeSubsection())
                return
            }
            guard byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") else {
                throw bad
            }
            name.append(byte.lowercasedASCII)
        }
        throw bad
    }

    private mutating func takeSubsection() throws(MalformedConfig) -> [UInt8] {
        var byte = take()
        while byte == 32 || byte == 9 { byte = take() }
        guard byte == UInt8(ascii: "\"") else { throw bad }
        var name: [UInt8] = []
        while var byte = take(), byte != 10 {
            if byte == UInt8(ascii: "\"") {
                guard take() == UInt8(ascii: "]") else { throw bad }
                return name
            }
            if byte == UInt8(ascii: "\\") {
                guard let next = take(), next != 10 else { throw bad }
                byte = next
            }
            name.append(byte)
        }
        throw bad
    }

    private mutating func takeVariable(_ first: UInt8) throws(MalformedConfig) -> Variable {
        let start = line
        var (key, byte) = ([first.lowercasedASCII], take())
        while let next = byte, next.isLetter || next.isDigit || next == UInt8(ascii: "-") {
            key.append(next.lowercasedASCII)
            byte = take()
        }
        while byte == 32 || byte == 9 { byte = take() }
        var value: [UInt8]?
        if let byte, byte != 10 {
            guard byte == UInt8(ascii: "=") else { throw bad }
            value = try takeValue()
        }
        // Before any section it is one of no section.
        return Variable(
            section: section?.name, subsection: section?.subsection, key: key, value: value, line: start)
    }

    private mutating func takeValue() throws(MalformedConfig) -> [UInt8] {
        var value: [UInt8] = []
        // Where blanks began that may be at the end.
        var trimmed: Int?
        var (isQuoted, isComment) = (false, false)
        while true {
            guard let byte = take(), byte != 10 else {
                guard !isQuoted else { throw bad }
                return trimmed.map { Array(value.prefix($0)) } ?? value
            }
            if isComment { continue }
            if Self.isSpace(byte), !isQuoted {
                trimmed = trimmed ?? value.count
                if !value.isEmpty { value.append(byte) }
                continue
            }
            if !isQuoted, byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
                isComment = true
                continue
            }
            trimmed = nil
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\\"): if let byte = try takeEscaped() { value.append(byte) }
            default: value.append(byte)
            }
        }
    }

    /// - Returns: `nil` for an end of a line, which is none then.
    private mutating func takeEscaped() throws(MalformedConfig) -> UInt8? {
        switch take() {
        case nil, 10: return nil
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "\""): return UInt8(ascii: "\"")
        default: throw bad
        }
    }

    /// git's `isspace`: no vertical tab, no form feed.
    private static func isSpace(_ byte: UInt8) -> Bool { [32, 9, 10, 13].contains(byte) }
}

import Platform

/// The submodules that a repository names in its `.gitmodules` (gitmodules(5)), read as git reads it, with git's own refusals.
public struct ModuleList: Sendable {
    /// A section of it.
    public struct Module: Sendable, Equatable {
        /// Where its gitlink stands.
        public let path: TreePath
        /// Where its repository is, as it stands there: an address, or a way from the address of this one.
        public let url: String
        /// Why git would not check it out; `nil` where it would.
        public let leftOut: String?
    }

    /// Something in the file that git does not take either.
    public struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        /// One sentence.
        public let description: String
    }

    /// Those that can be followed, in the order of the file.
    public private(set) var modules: [Module] = []
    /// What was not taken and is left out, one sentence each.
    public private(set) var refused: [String] = []

    /// Bytes of the file: it has a hundred sections at most that count.
    public static let maxSize: Int64 = 1 << 20

    private static let checkingOut = ["checkout", "rebase", "merge"]

    private struct Section {
        var path: [UInt8]?
        var url: [UInt8]?
        var update: [UInt8]?
    }

    /// - Throws: `Malformed` for what ends `git submodule`.
    public init(_ bytes: [UInt8]) throws(Malformed) {
        var sections: [[UInt8]: Section] = [:]
        var names: [[UInt8]] = []
        var reader = ConfigReader(bytes)
        while let variable = try reader.next() {
            guard let name = Self.name(of: variable) else { continue }
            guard Self.isHarmless(name) else {
                refuse("the name \(shown(name))")
                continue
            }
            if sections[name] == nil { names.append(name) }
            try take(variable, &sections[name, default: Section()])
        }
        for name in names {
            guard let section = sections[name], let path = section.path, let url = section.url else { continue }
            guard let address = String(validating: url, as: UTF8.self) else {
                refuse("the url of \(shown(name)), which is not UTF-8")
                continue
            }
            modules.append(
                Module(
                    path: TreePath(bytes: path), url: address,
                    leftOut: section.update.flatMap { update in
                        // A command is what nobody runs here, and git refuses it.
                        Self.checkingOut.contains { $0.utf8.elementsEqual(update) } ? nil : "update = \(shown(update))"
                    }))
        }
    }

    /// What stands between the first dot and the last one: `[submodule "name"]`, or `[submodule.name]` of old.
    private static func name(of variable: ConfigReader.Variable) -> [UInt8]? {
        guard let section = variable.section else { return nil }
        if let subsection = variable.subsection {
            return section.elementsEqual("submodule".utf8) ? subsection : nil
        }
        let prefix = "submodule.".utf8
        return section.starts(with: prefix) ? Array(section.dropFirst(prefix.count)) : nil
    }

    /// git's `check_submodule_name` (CVE-2018-11235).
    private static func isHarmless(_ name: [UInt8]) -> Bool {
        !name.isEmpty
            && !name.split(whereSeparator: { "/\\".utf8.contains($0) }).contains { $0.elementsEqual("..".utf8) }
    }

    private mutating func take(_ variable: ConfigReader.Variable, _ section: inout Section) throws(Malformed) {
        let key = String(decoding: variable.key, as: UTF8.self)
        guard ["path", "url", "update"].contains(key) else { return }
        guard let value = variable.value else {
            throw Malformed(description: "line \(variable.line): \(key) has no value")
        }
        // Of each the first counts.
        switch key {
        case "path": if accepts(value, as: key) { section.path = section.path ?? value }
        case "url":
            guard accepts(value, as: key) else { return }
            guard Self.isHarmlessURL(value) else { return refuse("the url \(shown(value))") }
            section.url = section.url ?? value
        default:
            section.update = section.update ?? value
        }
    }

    /// What begins with a hyphen is an option to a program that gets it (CVE-2018-17456), and what has a control character is two
    /// things to two readers (CVE-2025-48384).
    private mutating func accepts(_ value: [UInt8], as key: String) -> Bool {
        guard value.first == UInt8(ascii: "-") || value.contains(where: \.isControl) else { return true }
        refuse("the \(key) \(shown(value))")
        return false
    }

    /// git's `check_submodule_url` (CVE-2020-5260, CVE-2020-11008).
    private static func isHarmlessURL(_ url: [UInt8]) -> Bool {
        guard !url[...].percentDecoded.contains(where: \.isControl) else { return false }
        var rest = url[...]
        var goesUp = false
        while true {
            if rest.starts(with: "../".utf8) {
                goesUp = true
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "./".utf8) {
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        return !goesUp || !(rest.first == UInt8(ascii: ":") || rest.first == UInt8(ascii: "/"))
    }

    private mutating func refuse(_ what: String) {
        let sentence = "\(what) is refused, as git refuses it"
        if !refused.contains(sentence) { refused.append(sentence) }
    }

    private func shown(_ bytes: [UInt8]) -> String {
        "\"\(String(decoding: bytes, as: UTF8.self).printable(limit: 80))\""
    }
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

    private var bad: ModuleList.Malformed { ModuleList.Malformed(description: "line \(line) is no configuration") }

    mutating func next() throws(ModuleList.Malformed) -> Variable? {
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

    private mutating func takeSection() throws(ModuleList.Malformed) {
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

    private mutating func takeSubsection() throws(ModuleList.Malformed) -> [UInt8] {
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

    private mutating func takeVariable(_ first: UInt8) throws(ModuleList.Malformed) -> Variable {
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

    private mutating func takeValue() throws(ModuleList.Malformed) -> [UInt8] {
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
    private mutating func takeEscaped() throws(ModuleList.Malformed) -> UInt8? {
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

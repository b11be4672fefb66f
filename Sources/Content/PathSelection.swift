public import Git

/// Which paths of a commit are published. Paths are relative to what is published, so to the subdirectory.
public struct PathSelection: Sendable, Hashable {
    /// No pattern at all.
    public static let everything = PathSelection()

    private let include: IgnoreList
    private let exclude: IgnoreList

    /// What the lists of patterns select. A list reads like a file of gitignore(5): blank lines and comments count for
    /// nothing, the last pattern that matches a path decides, and below a folder that is matched everything is.
    ///
    /// - Parameters:
    ///   - include: only what these match is published; with no pattern, everything is.
    ///   - exclude: what these match is not, whatever the others say.
    /// - Throws: `InvalidPatterns` with every pattern that could never match, so that none fails to exclude in silence.
    public init(include: [String] = [], exclude: [String] = []) throws(InvalidPatterns) {
        let (included, excluded) = (IgnoreList.parse(include), IgnoreList.parse(exclude))
        var (problems, others) = (included.problems, excluded.problems)
        if problems.isEmpty, let first = included.list.patterns.first, included.list.patterns.allSatisfy(\.isNegated) {
            problems.append(InvalidPattern(pattern: first.description, reason: .onlyNegated))
        }
        guard problems.isEmpty, others.isEmpty else { throw InvalidPatterns(include: problems, exclude: others) }
        (self.include, self.exclude) = (included.list, excluded.list)
    }

    private init() { (include, exclude) = (IgnoreList(), IgnoreList()) }

    /// The patterns that count, as they were given.
    var patterns: (include: [String], exclude: [String]) {
        (include.patterns.map(\.description), exclude.patterns.map(\.description))
    }

    /// Whether a leaf is published, or anything below a folder may be.
    public func publishes(_ entry: TreeEntry, at path: TreePath) -> Bool {
        entry.kind == .folder ? mayHold(below: path) : selects(path, isFolder: entry.kind == .submodule)
    }

    /// Whether what stands at this path is published.
    ///
    /// - Parameter isFolder: true for a folder and for a submodule, which is one; a link is none, wherever it leads.
    func selects(_ path: TreePath, isFolder: Bool = false) -> Bool {
        let bytes = path.bytes.span
        return (include.patterns.isEmpty || include.covers(bytes, isFolder: isFolder))
            && !exclude.covers(bytes, isFolder: isFolder)
    }

    /// False only when nothing below this folder is selected, whatever it holds: a walk need not read it.
    func mayHold(below folder: TreePath) -> Bool {
        let bytes = folder.bytes.span
        if exclude.covers(bytes, isFolder: true) { return false }
        return include.patterns.isEmpty || include.covers(bytes, isFolder: true) || include.mayMatch(below: bytes)
    }
}

extension PathSelection: CustomStringConvertible {
    /// Equal exactly when the patterns are, byte by byte; one line of ASCII, empty for `everything`.
    public var description: String {
        [("include", include), ("exclude", exclude)].filter { !$0.1.patterns.isEmpty }.map { name, list in
            "\(name)=" + list.patterns.map { Self.plain($0.text) }.joined(separator: ",")
        }.joined(separator: " ")
    }

    /// What separates patterns, and what is not printable ASCII, as `%` and two digits. Swift takes two strings for equal
    /// that a file system tells apart (é, and e with an accent), so no such text may be compared.
    private static func plain(_ text: [UInt8]) -> String {
        var plain = ""
        for byte in text {
            if (0x21...0x7e).contains(byte), byte != UInt8(ascii: ","), byte != UInt8(ascii: "%") {
                plain.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                plain += (byte < 0x10 ? "%0" : "%") + String(byte, radix: 16)
            }
        }
        return plain
    }

    /// The pattern behind one of the description.
    static func decoded(_ plain: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = plain.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), let code = UInt8(String(Substring(rest.prefix(2))), radix: 16) else {
                bytes.append(byte)
                continue
            }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Every pattern of a selection that cannot mean what its author wants.
public struct InvalidPatterns: Error, Sendable, Equatable {
    /// Those of what is included.
    public let include: [InvalidPattern]
    /// Those of what is excluded.
    public let exclude: [InvalidPattern]
}

/// A pattern that git takes and that never matches anything.
public struct InvalidPattern: Error, Sendable, Equatable {
    /// Why it does not.
    public enum Reason: String, Error {
        /// A trailing `\`.
        case backslash = "ends in a backslash"
        /// `[` without its `]`.
        case bracket = "has a [ that is not closed"
        /// `[[:name:]]` with another name than those of POSIX.
        case characterClass = "has an unknown class in its brackets"
        /// `/`, or nothing after `!`.
        case nothing = "names nothing"
        /// Paths have no such step.
        case step = "has a step that is empty, . or .."
        /// It would be two lines, or end early.
        case control = "has a newline or a NUL in it"
        /// An argument with other bytes arrives as U+FFFD.
        case encoding = "is not UTF-8, write ? for each other byte"
        /// Then nothing at all would be published.
        case onlyNegated = "begins with ! as all others do, so that nothing is included"
    }

    /// As it was given.
    public let pattern: String
    /// Why it never matches.
    public let reason: Reason
}

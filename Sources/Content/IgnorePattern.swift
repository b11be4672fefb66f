/// One pattern of gitignore(5). Where that page is silent, what git does.
struct IgnorePattern: Sendable, Hashable, CustomStringConvertible {
    /// The pattern without the spaces at its end that do not count.
    let text: [UInt8]
    /// Begins with `!`: what it matches is not ignored after all.
    let isNegated: Bool
    /// Ends with `/`: matches folders only.
    private let mustBeFolder: Bool
    /// Has no other slash: matches the last name of a path, at any depth.
    private let isName: Bool
    /// How all that it matches begins.
    private let literal: [UInt8]
    private let rest: Rest

    /// What follows the literal bytes.
    private enum Rest: Hashable {
        case nothing
        case anything
        /// In a name, where nothing stands before it: anything that ends so.
        case ending([UInt8])
        case glob(Glob)
    }

    /// For messages: as it was given.
    var description: String { String(decoding: text, as: UTF8.self) }

    /// `nil` for a comment or a blank line.
    static func parse(_ line: String) throws(InvalidPattern) -> IgnorePattern? {
        let text = trimmed(line.utf8.last == UInt8(ascii: "\r") ? Array(line.utf8.dropLast()) : Array(line.utf8))
        if text.isEmpty || text.first == UInt8(ascii: "#") { return nil }
        do throws(InvalidPattern.Reason) {
            if line.unicodeScalars.contains("\u{FFFD}") { throw .encoding }
            if text.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\n") }) { throw .control }
            return try IgnorePattern(text)
        } catch {
            throw InvalidPattern(pattern: line, reason: error)
        }
    }

    private init(_ text: [UInt8]) throws(InvalidPattern.Reason) {
        let slash = UInt8(ascii: "/")
        var body = text[...]
        isNegated = body.first == UInt8(ascii: "!")
        if isNegated { body.removeFirst() }
        mustBeFolder = body.last == slash
        if mustBeFolder { body.removeLast() }
        let isAnchored = body.contains(slash)
        if body.first == slash { body.removeFirst() }
        if body.isEmpty { throw .nothing }
        let deep = Array("**/".utf8)
        // A name behind it matches at any depth, as a name alone does.
        if isAnchored, body.starts(with: deep), !body.dropFirst(3).isEmpty, !body.dropFirst(3).contains(slash) {
            body.removeFirst(3)
            isName = true
        } else {
            isName = !isAnchored
        }
        let tokens = try GlobToken.parse(Array(body))
        for step in tokens.split(separator: .byte(slash), omittingEmptySubsequences: false)
        where step.allSatisfy({ $0 == .byte(UInt8(ascii: ".")) }) && step.count <= 2 {
            throw .step
        }
        let literal = tokens.prefix(while: \.isByte).compactMap(\.byte)
        let wild = Array(tokens.dropFirst(literal.count))
        self.text = text
        self.literal = literal
        switch wild.first {
        case nil: rest = .nothing
        case .deep where wild.count == 1: rest = .anything
        case .star where isName && literal.isEmpty && wild.dropFirst().allSatisfy(\.isByte):
            rest = .ending(wild.compactMap(\.byte))
        default: rest = .glob(Glob(wild))
        }
    }

    /// Whether it matches this very path, not one above it.
    ///
    /// - Parameter name: where the last name begins.
    func matches(_ path: Span<UInt8>, name: Int, isFolder: Bool) -> Bool {
        if mustBeFolder && !isFolder { return false }
        let text = isName ? path.extracting(name..<path.count) : path
        guard text.begins(with: literal) else { return false }
        switch rest {
        case .nothing: return text.count == literal.count
        case .anything: return true
        case .ending(let bytes):
            return text.count >= bytes.count && text.extracting(last: bytes.count).begins(with: bytes)
        case .glob(let glob): return glob.matches(text.extracting(droppingFirst: literal.count))
        }
    }

    /// Whether it may match any path that begins with this folder and a slash.
    func mayMatch(below folder: Span<UInt8>) -> Bool {
        if isName || folder.isEmpty { return true }
        guard folder.agrees(with: literal, in: min(literal.count, folder.count)) else { return false }
        if literal.count > folder.count { return literal[folder.count] == UInt8(ascii: "/") }
        switch rest {
        case .nothing: return false
        case .anything, .ending: return true
        case .glob(let glob): return glob.mayMatch(below: folder.extracting(droppingFirst: literal.count))
        }
    }

    /// Spaces at the end count only behind a backslash.
    private static func trimmed(_ text: [UInt8]) -> [UInt8] {
        var (end, position) = (0, 0)
        while position < text.count {
            let byte = text[position]
            position = min(text.count, position + (byte == UInt8(ascii: "\\") ? 2 : 1))
            if byte != UInt8(ascii: " ") { end = position }
        }
        return Array(text[..<end])
    }
}

extension Span<UInt8> {
    fileprivate func begins(with bytes: [UInt8]) -> Bool {
        count >= bytes.count && agrees(with: bytes, in: bytes.count)
    }

    fileprivate func agrees(with bytes: [UInt8], in first: Int) -> Bool {
        for index in 0..<first where self[index] != bytes[index] { return false }
        return true
    }
}

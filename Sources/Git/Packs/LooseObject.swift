import Platform

/// An object in a file of its own: compressed together with what it is and its size, in digits, and a NUL before its bytes
/// (gitrepository-layout(5), "objects/[0-9a-f][0-9a-f]").
enum LooseObject {
    private static let kinds: [String: UInt8] = ["commit": 1, "tree": 2, "blob": 3, "tag": 4]
    /// Bytes: a word, a space, a size of 64 bits, a NUL.
    private static let longestHead = 32

    /// Lends an object as an entry of a pack: in one piece up to `Entry.wholeSize`, piece by piece beyond. Nothing of it is believed:
    /// whoever takes it hashes it.
    ///
    /// - Parameter folders: those that may have it.
    /// - Returns: `false` where none has, or what it has does not begin as an object; nothing was lent then.
    /// - Throws: `GitError`, what `body` throws.
    static func lend(
        _ id: ObjectID, in folders: [String], _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        let name = "\(id)"
        let files = folders.lazy.compactMap { PackFile("\($0)/\(name.prefix(2))/\(name.dropFirst(2))", smallest: 8) }
        guard let file = files.first else { return false }
        var entry: Entry?
        do {
            _ = try Inflation.run(file, from: 0, atMost: Int64(ObjectLimits.current.blob) + Int64(longestHead)) {
                piece in
                if entry != nil {
                    try entry?.take(piece, body)
                    return
                }
                guard let (kind, size, end) = head(piece) else { throw NoObject() }
                try PackEntryHead.bytes(kind: kind, size: size).withUnsafeBytes(body)
                entry = Entry()
                try entry?.take(UnsafeRawBufferPointer(rebasing: piece[end...]), body)
            }
        } catch is NoObject {
            return false
        } catch let error as GitError where entry == nil && error.isDamage {
            return false
        }
        try entry?.end(body)
        return true
    }

    /// Deflates what is small at once, which is much faster, and what is large piece by piece.
    private struct Entry: ~Copyable {
        private var whole: [UInt8] = []
        private var deflation: Deflation?

        /// Bytes.
        private static let wholeSize = 1 << 22

        mutating func take(_ piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            if deflation == nil, whole.count + piece.count <= Self.wholeSize {
                return whole.append(contentsOf: piece)
            }
            try begin(body)
            try deflation?.take(piece, isLast: false, body)
        }

        mutating func end(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            if deflation == nil, let deflated = whole.withUnsafeBytes({ Deflater.deflated($0) }) {
                return try deflated.withUnsafeBytes(body)
            }
            try begin(body)
            try deflation?.take(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, body)
        }

        /// Goes on piece by piece.
        private mutating func begin(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            guard deflation == nil else { return }
            deflation = try Deflation()
            try whole.withUnsafeBytes { try deflation?.take($0, isLast: false, body) }
            whole = []
        }
    }

    private struct NoObject: Error {}

    private static func head(_ piece: UnsafeRawBufferPointer) -> (kind: UInt8, size: UInt64, end: Int)? {
        guard let end = piece.prefix(longestHead).firstIndex(of: 0) else { return nil }
        let words = piece[..<end].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 2, let kind = kinds[words[0].asText], words[1].allSatisfy(\.isDigit),
            let size = UInt64(words[1].asText)
        else { return nil }
        return (kind, size, end + 1)
    }
}

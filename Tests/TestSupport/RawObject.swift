import Foundation

/// The name of an object.
public struct RawID: Sendable, Hashable, CustomStringConvertible {
    /// All 20.
    public let bytes: [UInt8]

    /// Takes them as they are.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// As git prints it.
    public init(hex: String) {
        let digits = Array(hex.utf8)
        bytes = stride(from: 0, to: digits.count - 1, by: 2).map { start in
            UInt8(String(decoding: digits[start...start + 1], as: UTF8.self), radix: 16)!
        }
    }

    /// One that no object has.
    public static func unknown(_ number: Int) -> RawID {
        RawID(bytes: [UInt8](repeating: 0xee, count: 12) + UInt64(number).bigEndianBytes)
    }

    /// As git prints it.
    public var description: String { bytes.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined() }
}

/// An object of git made by hand, with no regard to what git would allow.
public struct RawObject: Sendable {
    /// What it says that it is.
    public enum Kind: String, Sendable {
        case commit, tree, blob, tag

        /// As packs have it (gitformat-pack(5)).
        public var number: UInt8 {
            switch self {
            case .commit: 1
            case .tree: 2
            case .blob: 3
            case .tag: 4
            }
        }
    }

    /// What it says that it is.
    public let kind: Kind
    /// Without the header.
    public let body: [UInt8]
    /// Its name.
    public let id: RawID

    /// Any bytes.
    public init(_ kind: Kind, _ body: [UInt8]) throws {
        self.kind = kind
        self.body = body
        id = RawID(bytes: try SHA1.digest(Array("\(kind.rawValue) \(body.count)\0".utf8) + body))
    }

    /// A file.
    public static func blob(_ text: String) throws -> RawObject { try RawObject(.blob, Array(text.utf8)) }

    /// One row of a tree.
    public static func row(_ mode: String, _ name: String, _ id: RawID) -> [UInt8] {
        Array("\(mode) \(name)\0".utf8) + id.bytes
    }

    /// Rows in the order in which they are given.
    public static func tree(_ rows: [[UInt8]]) throws -> RawObject { try RawObject(.tree, rows.flatMap(\.self)) }

    /// The bytes of a commit up to its message.
    public static func commitHeader(of tree: RawID, parents: [RawID] = [], second: Int = 0) -> String {
        "tree \(tree)\n" + parents.map { "parent \($0)\n" }.joined()
            + "author A <a@example.org> \(1_700_000_000 + second) +0000\n"
            + "committer A <a@example.org> \(1_700_000_000 + second) +0000\n\n"
    }

    /// A commit; the second tells one from another.
    public static func commit(
        of tree: RawID, parents: [RawID] = [], second: Int = 0, message: String = "By hand\n"
    ) throws -> RawObject {
        try RawObject(.commit, Array((commitHeader(of: tree, parents: parents, second: second) + message).utf8))
    }

    /// The bytes of an annotated tag up to its message.
    public static func tagHeader(of commit: RawID) -> String {
        "object \(commit)\ntype commit\ntag v1\ntagger A <a@example.org> 1700000000 +0000\n\n"
    }
}

/// A commit of files in one folder, with all of its objects.
public struct RawCommit: Sendable {
    /// Its name.
    public let id: RawID
    /// Blobs, the tree, the commit.
    public let objects: [RawObject]

    /// - Parameter second: tells two of the same files apart.
    public init(_ files: [String: String], second: Int = 0) throws {
        let blobs = try files.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
            (name: $0.key, blob: try RawObject.blob($0.value))
        }
        let tree = try RawObject.tree(blobs.map { RawObject.row("100644", $0.name, $0.blob.id) })
        let commit = try RawObject.commit(of: tree.id, second: second)
        objects = blobs.map(\.blob) + [tree, commit]
        id = commit.id
    }

    /// All of it in one pack.
    public func pack() throws -> [UInt8] { try PackBytes(objects).whole() }
}

import Glibc
import Platform

/// A path inside a repository: the bytes that git stores, components joined by `/`. Not necessarily UTF-8.
public struct TreePath: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The bytes, without a leading or trailing `/`. Empty is the root.
    public let bytes: [UInt8]

    /// The root of the tree.
    public static let root = TreePath(bytes: [])

    /// Takes bytes as they are.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Takes text as UTF-8.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// The path of an entry of this folder.
    public func appending(_ name: EntryName) -> TreePath {
        guard !bytes.isEmpty else { return TreePath(bytes: name.bytes) }
        var joined = [UInt8]()
        joined.reserveCapacity(bytes.count + 1 + name.bytes.count)
        joined += bytes
        joined.append(UInt8(ascii: "/"))
        joined += name.bytes
        return TreePath(bytes: joined)
    }

    /// The names on the way from the root.
    public var components: [EntryName] {
        bytes.split(separator: UInt8(ascii: "/")).map { EntryName(bytes: Array($0)) }
    }

    /// The folder that holds this path; the root's is the root.
    public var parent: TreePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return .root }
        return TreePath(bytes: Array(bytes[..<slash]))
    }

    /// Whether a folder is on the way to it.
    public func isBelow(_ folder: TreePath) -> Bool {
        let length = folder.bytes.count
        guard length > 0 else { return !bytes.isEmpty }
        return bytes.count > length && bytes[length] == UInt8(ascii: "/") && memcmp(bytes, folder.bytes, length) == 0
    }

    /// The last component; empty for the root.
    public var name: EntryName {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return EntryName(bytes: bytes) }
        return EntryName(bytes: Array(bytes[(slash + 1)...]))
    }

    /// Byte order.
    public static func < (left: TreePath, right: TreePath) -> Bool { order(left.bytes, right.bytes) < 0 }

    /// Equal when all bytes are.
    public static func == (left: TreePath, right: TreePath) -> Bool { areEqual(left.bytes, right.bytes) }

    /// Feeds all bytes at once.
    public func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

    /// For messages: control characters escaped, what is not UTF-8 replaced.
    public var description: String { escaped(bytes) }
}

/// One name in a folder: any bytes but `/` and NUL.
public struct EntryName: Hashable, Sendable, CustomStringConvertible {
    /// The bytes as git stores them.
    public let bytes: [UInt8]

    /// Takes bytes as they are.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Takes text as UTF-8.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// Equal when all bytes are.
    public static func == (left: EntryName, right: EntryName) -> Bool { areEqual(left.bytes, right.bytes) }

    /// Feeds all bytes at once.
    public func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

    /// For messages: control characters escaped, what is not UTF-8 replaced.
    public var description: String { escaped(bytes) }
}

/// memcmp(3), and the shorter of two equal beginnings first. The library's own comparisons take one byte after the other.
private func order(_ left: [UInt8], _ right: [UInt8]) -> Int {
    let order = Int(memcmp(left, right, min(left.count, right.count)))
    return order != 0 ? order : left.count - right.count
}

private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && memcmp(left, right, left.count) == 0
}

private func escaped(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).printable(limit: 4096) }

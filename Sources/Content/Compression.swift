public import Git

/// Which compressed file is made beside a file, for web servers that give that to whoever takes it (`gzip_static` of nginx).
public enum Compression: String, Codable, Sendable, CaseIterable {
    /// RFC 1952.
    case gzip

    /// What a server adds to the name of a file.
    public var suffix: String { ".gz" }

    /// A smaller one is one packet as it is, a larger one would be in memory.
    private static let sizes: ClosedRange<Int64> = 1_400...16_777_216

    /// What compresses by its kind, by the end of its name: as hosts of static sites have it.
    private static let endings: Set<String> = [
        "atom", "bmp", "css", "csv", "eot", "geojson", "htm", "html", "ico", "ics", "js", "json", "jsonld", "map", "md",
        "mjs", "otf", "rss", "svg", "ttf", "txt", "vtt", "wasm", "webmanifest", "xhtml", "xml",
    ]

    /// Whether a file may have one: its kind, its size, and room for the longer name.
    public func suits(_ leaf: Leaf) -> Bool {
        guard case .blob = leaf.content, case .file = leaf.kind, let size = leaf.size else { return false }
        return Self.sizes.contains(size) && suits(leaf.path)
    }

    /// The same of its path alone. Linux's NAME_MAX, and PATH_MAX with the byte at its end.
    public func suits(_ path: TreePath) -> Bool {
        let name = path.name.bytes
        guard name.count + suffix.utf8.count <= 255, path.bytes.count + suffix.utf8.count < 4096,
            let dot = name.lastIndex(of: UInt8(ascii: "."))
        else { return false }
        return Self.endings.contains(String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased())
    }

    /// Whether it is worth its place: a twentieth less at least.
    public func pays(_ size: Int64, of original: Int64) -> Bool { size <= original - original / 20 }

    /// Where the compressed file of a file stands.
    public func path(beside path: TreePath) -> TreePath { TreePath(bytes: path.bytes + Array(suffix.utf8)) }

    /// Whose compressed file would stand there; `nil` where none would.
    public func original(of path: TreePath) -> TreePath? {
        let (bytes, suffix) = (path.bytes, Array(self.suffix.utf8))
        guard bytes.count > suffix.count, bytes.suffix(suffix.count).elementsEqual(suffix) else { return nil }
        return TreePath(bytes: Array(bytes.dropLast(suffix.count)))
    }
}

/// A file that no repository has: the bytes of a blob, compressed.
public struct CompressedBlob: Hashable, Sendable {
    /// What is compressed.
    public let source: ObjectID
    /// The compressed bytes as git would name them. Another version of the library may make others of the same blob.
    public let bytes: ObjectID

    /// Names its parts.
    public init(source: ObjectID, bytes: ObjectID) { (self.source, self.bytes) = (source, bytes) }
}

extension Contents {
    /// Compresses a blob. The same bytes come of it wherever the same library is.
    ///
    /// - Parameter size: the blob's.
    /// - Returns: `nil` where that does not pay.
    /// - Throws: `GitError`, `SystemError`.
    public borrowing func compressed(_ blob: ObjectID, size: Int64, by compression: Compression) throws -> FileContent?
    {
        try withCompressed(blob) { bytes in
            guard compression.pays(Int64(bytes.count), of: size) else { return nil }
            let content = ContentID.compressed(CompressedBlob(source: blob, bytes: ObjectID(hashing: bytes)))
            return FileContent(content: content, size: Int64(bytes.count))
        }
    }

    /// Lends the compressed bytes of a blob.
    borrowing func withCompressed<Value>(
        _ blob: ObjectID, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) throws -> Value {
        let gzip = gzip
        return try repository.withBlob(blob) { try gzip.withCompressed($0, body) }
    }
}

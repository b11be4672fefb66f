import Git

/// Drift that no walk of `lstat` would find again, until it is mended.
struct DriftFile {
    private static let name = EntryName("drift")
    private let home: Directory

    init(_ destination: Destination) throws { home = try Directory(opening: destination.volumeFolder) }

    func write(_ paths: [TreePath]) throws {
        var writer = RecordWriter()
        for path in paths { writer.terminated(path.bytes) }
        try home.replace(Self.name, with: writer.bytes, mode: 0o600)
    }

    func read() throws -> [TreePath] {
        try home.read(Self.name)?.split(separator: 0).map { TreePath(bytes: Array($0)) } ?? []
    }

    func remove() throws { try home.remove(Self.name) }
}

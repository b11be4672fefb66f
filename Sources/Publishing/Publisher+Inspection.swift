public import Git
import Glibc

extension Publisher {
    /// Lets somebody look at a staged tree, who may read it and must not change anything in it.
    ///
    /// - Returns: its folder; `nil` in the layout `folder`, where a commit is a tree only when it is published.
    public func beginInspection(of staged: StagedTree) throws -> String? {
        guard case .tree(let name) = staged.place else { return nil }
        return try trees.beginInspection(of: name)
    }

    /// Must be called before the tree is published. One that was changed is gone afterwards; and when what is visible was
    /// changed with it, which shares files with it, `hasDrifted` says so, and to the next process as well.
    ///
    /// - Returns: the paths that were changed, the root for a file that was put there.
    public func endInspection() throws -> [TreePath] {
        let lostAndFound = LostAndFound(destination, now: Int64(time(nil)))
        return try trees.endInspection(keeping: lostAndFound) { drifted in
            try noteDrift(drifted, isHidden: true)
        }.changed
    }
}

/// Drift that no walk of `lstat` would find again, until it is mended.
struct DriftFile {
    private static let name = EntryName("drift")
    private let home: Directory

    init(_ destination: Destination) throws { home = try Directory(opening: destination.home) }

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

public import Git

/// What a tree to publish has at a path: a file, a symbolic link, or the folder of a submodule.
public struct Leaf: Hashable, Sendable {
    /// Below what is published.
    public let path: TreePath
    /// What it is; never a folder.
    public let kind: EntryKind
    /// What its bytes are.
    public let content: ContentID
    /// Its bytes, where they were asked for.
    public let size: Int64?

    /// Makes one of its parts.
    public init(path: TreePath, kind: EntryKind, content: ContentID, size: Int64? = nil) {
        self.path = path
        self.kind = kind
        self.content = content
        self.size = size
    }

    /// What a tree's entry is; `nil` for a folder, which is what it holds.
    public init?(_ entry: TreeEntry, at path: TreePath, size: Int64? = nil) {
        guard entry.kind != .folder else { return nil }
        self.init(path: path, kind: entry.kind, content: ContentID(of: entry), size: size)
    }

    /// Its name in its folder.
    public var name: EntryName { path.name }

    /// Whether a file may be run; `nil` for what is no file.
    public var isExecutable: Bool? { if case .file(let executable) = kind { executable } else { nil } }
}

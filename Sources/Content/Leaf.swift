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

    /// Its name in its folder.
    public var name: EntryName { path.name }

    /// Whether a file may be run; `nil` for what is no file.
    public var isExecutable: Bool? { if case .file(let executable) = kind { executable } else { nil } }
}

extension Repository {
    /// What a tree's entry is, as a recipe has it.
    ///
    /// - Parameter known: what the bytes of a blob are, and how many, where that was found before.
    /// - Returns: with the size of a file; `nil` for a folder, which is what it holds.
    /// - Throws: `GitError` for a blob that is not here.
    public borrowing func leaf(
        _ entry: TreeEntry, at path: TreePath, as recipe: Recipe, known: (ObjectID) -> FileContent? = { _ in nil }
    ) throws -> Leaf? {
        switch entry.kind {
        case .folder: return nil
        case .submodule: return Leaf(path: path, kind: entry.kind, content: .commit(entry.id))
        case .link: return Leaf(path: path, kind: entry.kind, content: .blob(entry.id))
        case .file:
            let file = try known(entry.id) ?? content(ofFile: entry.id, as: recipe)
            return Leaf(path: path, kind: entry.kind, content: file.content, size: file.size)
        }
    }

    /// The bytes of a file that a tree names: those of its blob, or of the object of Git LFS that this points to.
    private borrowing func content(ofFile blob: ObjectID, as recipe: Recipe) throws -> FileContent {
        let size = try size(of: blob)
        if recipe.lfs == .on, LFSPointer.sizes.contains(size), let pointer = try withBlob(blob, { LFSPointer($0) }) {
            return FileContent(content: .lfs(pointer.object.id), size: pointer.object.size)
        }
        return FileContent(content: .blob(blob), size: size)
    }
}

/// What the bytes of a file are, and how many.
public struct FileContent: Sendable {
    /// The one.
    public let content: ContentID
    /// The other.
    public let size: Int64

    /// Names its parts.
    public init(content: ContentID, size: Int64) { (self.content, self.size) = (content, size) }
}

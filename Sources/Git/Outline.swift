import Glibc

/// What stands for the tree of a commit of which one folder is here alone: the way to that folder, the folder, and what says at the root
/// which submodules and which server of Git LFS it has. It is a tree that is here whole, and is read, compared and kept like any other.
struct Outline {
    /// A commit of our own without parents that holds the tree.
    let commit: ObjectID
    let tree: ObjectID
    /// Everything else of the commit is not here.
    let folder: TreePath

    /// Files at the root that matter to a folder of it.
    static let rootFiles = [ModuleList.name, LFSConfig.name]
}

extension Repository {
    /// `nil` for a commit of which all is here, or nothing.
    borrowing func outline(of commit: ObjectID) -> Outline? {
        guard let target = target(ofOwn: StoreReference.outline(of: commit)) else { return nil }
        return try? withObject(target, .commit) { bytes throws(GitError) in
            let text = Array(bytes)
            let end = text.firstRange(of: "\n\n".utf8)?.upperBound ?? text.endIndex
            let tree = try Commit(target, reading: bytes).tree
            return Outline(commit: target, tree: tree, folder: TreePath(bytes: Array(text[end...])))
        }
    }

    /// Whether a commit is here with all of a folder of it.
    public borrowing func hasOutline(of commit: ObjectID, reaching folder: TreePath) -> Bool {
        guard let outline = outline(of: commit) else { return false }
        return folder == outline.folder || folder.bytes.starts(with: outline.folder.bytes + [UInt8(ascii: "/")])
    }

    /// Whether a folder of a commit is here alone.
    public borrowing func isOutlined(_ commit: ObjectID) -> Bool {
        target(ofOwn: StoreReference.outline(of: commit)) != nil
    }

    /// All such commits.
    public borrowing func outlinedCommits() throws(GitError) -> Set<ObjectID> {
        let prefix = StoreReference.outlines
        return Set(
            try referenceNames().filter { $0.hasPrefix(prefix) }.compactMap { ObjectID(hexDigits: $0.dropping(prefix)) }
        )
    }

    /// All of a commit is here from now on.
    public borrowing func forgetOutline(of commit: ObjectID) {
        if isOutlined(commit) { unlink(path + StoreReference.outline(of: commit).text) }
    }
}

/// What has to come before a folder of a commit is here.
public enum FolderNeed: Sendable, Equatable {
    /// The commit, and nothing that it names.
    case commit(ObjectID)
    /// A tree on the way, and nothing that it names.
    case tree(ObjectID)
    /// Files at the root, or one that stands in the way.
    case files([ObjectID])
    /// The folder, with all that is in it; and trees that are here of earlier ones.
    case folder(ObjectID, known: [ObjectID])
    case nothing
}

extension Repository {
    /// - Throws: `GitError` for what is here and cannot be read.
    public borrowing func need(of folder: TreePath, in commit: ObjectID) throws -> FolderNeed {
        guard try contains(commit) else { return .commit(commit) }
        let root = try ownCommit(commit).tree
        var (tree, files): (ObjectID?, [ObjectID]) = (root, [])
        for name in folder.components {
            guard let here = tree else { break }
            guard try contains(here) else { return .tree(here) }
            let entry = try TreeRows(of: here, in: self).find(name)
            tree = entry?.kind == .folder ? entry?.id : nil
            if let entry, entry.kind != .folder, entry.kind != .submodule { files.append(entry.id) }
        }
        for name in Outline.rootFiles {
            if let entry = try TreeRows(of: root, in: self).find(name), case .file = entry.kind {
                files.append(entry.id)
            }
        }
        let missing = try files.filter { try !contains($0) }
        guard missing.isEmpty else { return .files(missing) }
        guard let tree else { return .nothing }
        let known = try knownTrees(at: folder)
        return try known.contains(tree) || isWhole(tree, given: known.first) ? .nothing : .folder(tree, known: known)
    }

    /// The trees that earlier commits have at a folder.
    public borrowing func knownTrees(at folder: TreePath) throws(GitError) -> [ObjectID] {
        try knownCommits(of: .followed).compactMap { try? subtree(of: $0.tree, at: folder) }
    }

    private borrowing func isWhole(_ tree: ObjectID, given known: ObjectID?) throws -> Bool {
        guard try contains(tree) else { return false }
        do {
            try proveConnected(tree: tree, given: known, depth: 1_000, folders: ObjectLimits.current.objects)
            return true
        } catch let error as GitError where error.isNotFound {
            return false
        } catch is TreeTooLarge {
            // It is told of when a tree is made of it.
            return true
        }
    }
}

extension Store {
    /// Remembers that of a commit a folder is here alone. On the disk when this returns.
    public func noteOutline(_ folder: TreePath, of commit: ObjectID) throws {
        let repository = try open()
        var composer = TreeComposer()
        let tree = try composer.outline(
            of: try repository.ownCommit(commit).tree, along: folder.components[...], of: repository)
        let id = try admit(composer, commitOf: tree, message: folder.bytes)
        try open().setReference(StoreReference.outline(of: commit), to: id)
    }
}

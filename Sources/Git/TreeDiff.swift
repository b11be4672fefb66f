/// One path at which two trees differ. Folders are not listed, only what they hold; a submodule counts as a leaf.
public struct TreeChange: Sendable {
    /// The path from the root of both trees.
    public let path: TreePath
    /// What stood there, if anything other than a folder did.
    public let old: TreeEntry?
    /// What stands there now, if anything other than a folder does.
    public let new: TreeEntry?
}

extension Repository {
    /// Calls back for every leaf that differs, folders whose ids are equal left unread: the cost follows the change.
    ///
    /// - Parameters:
    ///   - old: the tree before; `nil` lists all of `new` as added.
    ///   - depth: the deepest nesting that is followed; beyond it `TreeTooLarge` is thrown.
    ///   - folders: how many folders are read at most; beyond it `TreeTooLarge` is thrown. A few hundred bytes of
    ///     trees that name each other can hold more paths than there are atoms.
    ///   - including: sees every entry that differs, folders too, before anything below it is read, and says whether it
    ///     counts; `isNew` for those of `new`.
    public borrowing func differences(
        from old: ObjectID?, to new: ObjectID?, depth: Int, folders: Int,
        including: (TreeEntry, _ path: TreePath, _ isNew: Bool) throws -> Bool, _ body: (TreeChange) throws -> Void
    ) throws {
        var folders = folders
        try withoutActuallyEscaping(including) { including in
            try withoutActuallyEscaping(body) { body in
                let visitor = Visitor(including: including, body: body)
                try differences(from: old, to: new, below: .root, depth: depth, folders: &folders, visitor)
            }
        }
    }

    private struct Visitor {
        let including: (TreeEntry, TreePath, Bool) throws -> Bool
        let body: (TreeChange) throws -> Void
    }

    private borrowing func differences(
        from old: ObjectID?, to new: ObjectID?, below path: TreePath, depth: Int, folders: inout Int,
        _ visitor: Visitor
    ) throws {
        guard old != new else { return }
        guard depth >= 0 else { throw TreeTooLarge(path: path, bound: .depth) }
        guard folders > 0 else { throw TreeTooLarge(path: path, bound: .folders) }
        folders -= 1
        try Task.checkCancellation()
        let before = if let old { try TreeRows(of: old, in: self) } else { nil as TreeRows? }
        let after = if let new { try TreeRows(of: new, in: self) } else { nil as TreeRows? }
        try TreeRows.compare(before, after) { old, new in
            try compare(old, new, below: path, depth: depth, folders: &folders, visitor)
        }
    }

    private borrowing func compare(
        _ old: TreeEntry?, _ new: TreeEntry?, below folder: TreePath, depth: Int, folders: inout Int,
        _ visitor: Visitor
    ) throws {
        guard old != new, let name = (new ?? old)?.name else { return }
        let path = folder.appending(name)
        let old = try old.flatMap { try visitor.including($0, path, false) ? $0 : nil }
        let new = try new.flatMap { try visitor.including($0, path, true) ? $0 : nil }
        let oldFolder = old?.kind == .folder ? old?.id : nil
        let newFolder = new?.kind == .folder ? new?.id : nil
        let oldLeaf = oldFolder == nil ? old : nil
        let newLeaf = newFolder == nil ? new : nil
        if oldLeaf != nil || newLeaf != nil { try visitor.body(TreeChange(path: path, old: oldLeaf, new: newLeaf)) }
        if oldFolder != nil || newFolder != nil {
            try differences(from: oldFolder, to: newFolder, below: path, depth: depth - 1, folders: &folders, visitor)
        }
    }
}

/// A tree that goes beyond what is followed.
public struct TreeTooLarge: Error, Sendable {
    /// Which of the bounds.
    public enum Bound: Sendable { case depth, folders }
    /// The first folder that was not read.
    public let path: TreePath
    /// The bound that it is beyond.
    public let bound: Bound
}

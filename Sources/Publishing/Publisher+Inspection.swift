public import Git

extension Publisher {
    /// Lets somebody look at a staged tree, who may read it and must not change anything in it.
    ///
    /// - Returns: its folder; `nil` in the layout `folder`, where a commit is a tree only when it is published.
    public func beginInspection(of staged: StagedTree) throws -> String? {
        guard case .tree(let name) = staged.place else { return nil }
        return try trees.beginInspection(of: name)
    }

    /// Must be called before the tree is published. One that was changed is gone afterwards; and when what is visible was
    /// changed with it, which shares files with it, `hasDrifted` says so.
    ///
    /// - Returns: the paths that were changed, the root for a file that was put there.
    public func endInspection() throws -> [TreePath] {
        let meddling = try trees.endInspection()
        noteDrift(meddling.drifted)
        return meddling.changed
    }
}

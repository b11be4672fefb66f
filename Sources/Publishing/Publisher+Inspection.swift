public import Git
import Glibc

extension Publisher {
    /// Lets somebody look at a staged tree, who may read it and must not change anything in it.
    ///
    /// - Returns: its folder; `nil` in the layout `folder`, where a commit is a tree only when it is published.
    public func beginInspection(of staged: StagedTree) throws -> String? {
        try layout.beginInspection(of: staged)
    }

    /// Must be called before the tree is published. One that was changed is gone afterwards; and when what is visible was
    /// changed with it, which shares files with it, `hasDrifted` says so, and to the next process as well.
    ///
    /// - Returns: the paths that were changed, the root for a file that was put there.
    public func endInspection() throws -> [TreePath] {
        let lostAndFound = LostAndFound(destination, now: Int64(time(nil)))
        return try layout.endInspection(keeping: lostAndFound) { try drift.note($0, isHidden: true) }
    }
}

import Git

/// A tree that is complete on the disk where nobody sees it yet.
public struct StagedTree: Sendable {
    let record: TreeRecord
    let place: Place
    /// New files.
    public let filesWritten: Int
    /// Their bytes.
    public let bytesWritten: Int64
    /// Paths that the new tree does not have.
    public let filesRemoved: Int
    /// What a person should know.
    public internal(set) var notices: [Notice] = []
    /// The paths of what was visible that were known to have drifted when this was made, and that it has anew.
    var mended: [TreePath] = []
    /// Whether objects of Git LFS may be of no use any more.
    let dropsObjects: Bool

    enum Place: Sendable {
        /// A complete tree, by its name in `trees`.
        case tree(String)
        /// Files in a folder of `staging`, and what to do with them.
        case burst(Intent)
    }

    init(record: TreeRecord, place: Place, _ output: TreeBuild.Output, of plan: TreePlan, removed: Int) {
        self.record = record
        self.place = place
        filesWritten = output.filesWritten
        bytesWritten = output.bytesWritten
        filesRemoved = removed
        dropsObjects = plan.dropsObjects
        notices = plan.notices
        if output.lfsPointers > 0 { notices.append(.lfsPointers(count: output.lfsPointers)) }
        notices += output.drifted.map { .drifted(path: $0) }
    }
}

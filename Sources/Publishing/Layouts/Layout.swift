import Content
import Git

/// How DESTINATION shows a commit's tree. What is made for it is seen by nobody before it is published; whatever fails until then,
/// or kills the process, leaves what was visible as it was.
protocol Layout: Sendable {
    var kind: LayoutKind { get }

    /// Refuses what this layout can never be shown at, before anything is made.
    func checkDestination() throws

    /// Refuses what a tree cannot be shown at as it stands now, before one is made.
    func checkShowing() throws

    /// Finishes or removes what a process that was killed left, and takes over what another layout shows.
    func recover(keeping lostAndFound: LostAndFound) throws -> [Notice]

    // MARK: what is visible

    /// What changes when something else becomes visible, though not by this process: some system calls. `nil` when nothing is that
    /// this layout could show.
    func identity() throws -> String?

    /// What is visible and of ours, another layout's too where this one can take over from it.
    func visible() throws -> VisibleTree?

    /// Whether what is visible is neither commit, because a publish was interrupted.
    func isInterrupted() throws -> Bool

    /// Writes down what turned out to be true of what is visible.
    func rewrite(_ record: TreeRecord) throws

    // MARK: an update

    /// Makes what is to be shown: on the disk when this returns, and checked against every rule.
    ///
    /// - Parameters:
    ///   - tree: the commit's, or that of the subdirectory.
    ///   - now: seconds since 1970.
    ///   - drifted: paths of what is visible that are not what was published.
    func materialize(
        _ commit: Commit, tree: ObjectID, from contents: borrowing Contents, now: Int64, drifted: [TreePath],
        _ buildMode: BuildMode, keeping lostAndFound: LostAndFound
    ) throws -> StagedTree

    /// Shows it.
    func publish(_ staged: StagedTree, keeping lostAndFound: LostAndFound) throws

    // MARK: a tree that is not shown yet

    /// The folder in which somebody may look at it; `nil` where there is a whole tree only when it is shown.
    func beginInspection(of staged: StagedTree) throws -> String?

    /// Ends the inspection, also that of a process that was killed.
    ///
    /// - Parameter noting: told of the paths of the visible tree that drifted, while this can still be done once more.
    /// - Returns: the paths that were changed, the root for a file that was put there.
    func endInspection(keeping lostAndFound: LostAndFound, noting: ([TreePath]) throws -> Void) throws -> [TreePath]

    // MARK: between updates

    /// Removes what is not needed any more, and prepares the next update.
    ///
    /// - Returns: the seconds until there is more to do; `nil` for never.
    func tidy(
        makingSpares: Bool, now: Double, isStopped: @escaping @Sendable () -> Bool, keeping lostAndFound: LostAndFound
    ) throws -> Double?

    /// The records of the trees that trail what is visible.
    func spareRecords() throws -> [TreeRecord]

    /// How many trees are on the disk.
    var treeCount: Int { get }
}

/// What is visible at DESTINATION.
struct VisibleTree {
    /// How it is shown.
    let kind: LayoutKind
    /// Its name in the pool; `nil` for what the layout `folder` published.
    let name: String?
    let record: TreeRecord
    let folder: Directory
    /// Whether it is the folder that was published into: another one may stand at its name.
    let isSame: Bool
}

extension LayoutKind {
    /// The layout, at a DESTINATION.
    func layout(of destination: Destination, _ options: PublishingOptions) -> any Layout {
        switch self {
        case .link, .exchange: TreeLayout(self, destination, options)
        case .folder: FolderLayout(destination: destination, options: options)
        }
    }

    /// Whether all that is there is ours: in the layout `folder` others keep files beside ours.
    var isAlone: Bool { self != .folder }
}

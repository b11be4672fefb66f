public import Git
import Glibc
import Synchronization

/// The one owner of a DESTINATION. What is published is read from the disk, so nothing has to be remembered across
/// restarts; every method blocks, and belongs on a `GitExecutor`.
public final class Publisher: Sendable {
    /// Where everything is.
    public let destination: Destination
    /// The layout that was decided at the start.
    public let layout: Layout
    private let options: PublishingOptions
    private let lock: DestinationLock
    private let remembered = Mutex<Remembered?>(nil)

    /// A record that was read, and the name and inode that tell whether it is still the one.
    private struct Remembered {
        let identity: String
        let published: Published
    }

    /// Takes the lock, finishes what a killed process began, and removes what it left.
    ///
    /// - Throws: `PublishingError` when DESTINATION cannot be used or is in use, `DiskError`.
    public static func open(
        _ destination: Destination, options: PublishingOptions
    ) throws -> (publisher: Publisher, notices: [Notice]) {
        let layout = try options.layout ?? destination.automaticLayout()
        switch try FileStatus.of(destination.path)?.kind {
        case .file, .other: throw destination.notAFolder
        case .folder where layout == .folder:
            guard access(destination.path, W_OK) == 0 else { throw DiskError("write into", destination.path) }
        default: break
        }
        _ = try Directory(making: destination.home)
        let lock = try DestinationLock(destination)
        _ = try Directory(making: destination.state)
        let publisher = Publisher(destination, layout, options, lock)
        destination.store.sweep()
        do {
            return (publisher, try publisher.recover())
        } catch let error as DiskError {
            // The next pass that has something to publish tries again: no reason not to serve and follow until then.
            return (publisher, [.recovered("what was interrupted cannot be finished now: \(error)")])
        }
    }

    private init(_ destination: Destination, _ layout: Layout, _ options: PublishingOptions, _ lock: DestinationLock) {
        self.destination = destination
        self.layout = layout
        self.options = options
        self.lock = lock
    }

    private var link: LinkLayout { LinkLayout(destination: destination, options: options) }
    private var folder: FolderLayout { FolderLayout(destination: destination, options: options) }
    private var now: Int64 { Int64(time(nil)) }

    private func recover() throws -> [Notice] {
        let lostAndFound = LostAndFound(destination, now: now)
        let notices =
            switch layout {
            case .link: try link.sweep(keeping: lostAndFound)
            case .folder: try folder.recover(keeping: lostAndFound)
            }
        if layout == .folder, try folder.record() != nil { try folder.moveForeignGit(keeping: lostAndFound) }
        return notices + lostAndFound.notices
    }

    /// What is visible now; `nil` when nothing of ours is. A few system calls when it is what it was the last time.
    public func published() throws -> Published? {
        let identity: String
        var inode: UInt64 = 0
        switch layout {
        case .link:
            guard let live = try link.liveTree() else { return nil }
            identity = live
        case .folder:
            guard let root = try FileStatus.of(destination.path), root.kind == .folder,
                let record = try FileStatus.of(destination.home + "/record")
            else { return nil }
            inode = root.inode
            identity = "\(record.inode) \(record.mtime) \(inode)"
        }
        if let known = remembered.withLock({ $0 }), known.identity == identity { return known.published }
        guard let record = try layout == .link ? link.record(of: identity) : folder.record(), record.root == inode
        else { return nil }
        let published = Published(record)
        remembered.withLock { $0 = Remembered(identity: identity, published: published) }
        return published
    }

    /// Whether that commit, as this publisher is set up, is what is visible.
    public func shows(_ commit: ObjectID) throws -> Bool {
        guard let published = try published(), try layout == .link || !folder.isInterrupted() else { return false }
        return published.commit == commit && published.subdirectory == options.subdirectory
            && published.policy == options.policy
    }

    /// Makes files that equal the commit's tree, where nobody sees them yet.
    ///
    /// - Throws: `PublishingError`, `DiskError`, `GitError`; `CancellationError` between two files. Nothing visible has
    ///   changed then, and what was staged is removed.
    public func materialize(_ commit: Commit, from repository: borrowing Repository) throws -> StagedTree {
        let path = TreePath(options.subdirectory)
        guard let tree = try repository.subtree(of: commit.tree, at: path) else {
            throw PublishingError.subdirectoryMissing(subdirectory: options.subdirectory, commit: commit.id)
        }
        return switch layout {
        case .link: try link.materialize(commit, tree: tree, from: repository, now: now)
        case .folder:
            try folder.materialize(
                commit, tree: tree, from: repository, now: now, keeping: LostAndFound(destination, now: now))
        }
    }

    /// Makes a staged tree visible.
    ///
    /// - Returns: what a person should know.
    public func publish(_ staged: StagedTree) throws -> [Notice] {
        let lostAndFound = LostAndFound(destination, now: now)
        switch staged.place {
        case .tree(let name): try link.publish(name, keeping: lostAndFound)
        case .burst(let intent):
            let isAdopted = try folder.record() != nil
            try folder.publish(intent, record: staged.record, keeping: lostAndFound)
            if !isAdopted { try folder.moveForeignGit(keeping: lostAndFound) }
        }
        return staged.notices + lostAndFound.notices
    }

    /// Removes what is no longer shown and was not for the grace period.
    ///
    /// - Returns: the seconds until there is more to remove, `nil` for nothing; and what a person should know.
    public func tidy() throws -> (next: Double?, notices: [Notice]) {
        guard layout == .link else { return (nil, []) }
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        let lostAndFound = LostAndFound(destination, now: now)
        let next = try link.tidy(
            now: Double(clock.tv_sec) + Double(clock.tv_nsec) / 1e9, keeping: lostAndFound)
        return (next, lostAndFound.notices)
    }
}

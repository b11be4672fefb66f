public import Content
public import Git
import Glibc
import Synchronization
import Platform

/// The one owner of a DESTINATION. What is published is read from the disk, so nothing has to be remembered across
/// restarts; every method blocks, and belongs on a `GitExecutor`.
public final class Publisher: Sendable {
    /// Where everything is.
    public let destination: Destination
    let layout: any Layout
    let options: PublishingOptions
    private let ground: OwnedGround
    let drift: DriftList
    private let kept = KeptFiles()
    /// Held while something else becomes visible, and while what is visible is looked at to write down what it is: compressed files are
    /// added between passes, on another thread.
    private let showing = Mutex(())
    private let state = Mutex(State())

    private struct State {
        /// What was read from the disk the last time.
        var remembered: Remembered?
        var lost: Lost?
        /// Whether an object of Git LFS may be here that nothing needs: at the start nobody knows.
        var mayPruneObjects = true
        /// Whether what is wanted is what is visible: until it is, what was brought for it stays.
        var isSettled = false
        /// Whether compressed files turned out to be more than may be published.
        var hasTooManyFiles = false
        /// The commit whose compressed files could not be made.
        var incompressible: ObjectID?
    }

    /// A record that was read, and what tells whether it is still the one.
    private struct Remembered {
        let identity: String
        let published: Published
        let parts: Composite.Parts?
        let sample: Sample
    }

    /// Takes the lock, finishes what a killed process began, and removes what it left.
    ///
    /// - Throws: `PublishingError` when DESTINATION cannot be used or is in use, `DiskError`.
    public static func open(
        _ destination: Destination, options: PublishingOptions
    ) throws -> (publisher: Publisher, notices: [Notice]) {
        try destination.checkFormats()
        // What cannot be read now decides nothing.
        let visible = (try? destination.visible(in: TreePool(destination)))??.record
        let given = options
        let options = given.inheriting(from: visible?.recipe)
        let layout = try (options.layout ?? destination.automaticLayout()).layout(of: destination, options)
        if [.file, .other].contains(try FileStatus.of(destination.path)?.kind) { throw destination.notAFolder }
        try layout.checkDestination()
        let publisher = Publisher(destination, layout, options, try OwnedGround(destination))
        destination.store.sweep()
        do {
            try destination.upgradeNames()
            let notices = try publisher.recover()
            return (publisher, notices + (try visible.map { try publisher.staysAsItWas($0, wanted: given) } ?? []))
        } catch let error as DiskError {
            // The next pass that has something to publish tries again: no reason not to serve and follow until then.
            return (publisher, [.recovered("what was interrupted cannot be finished now: \(error)")])
        }
    }

    private init(_ destination: Destination, _ layout: any Layout, _ options: PublishingOptions, _ ground: OwnedGround)
    {
        self.destination = destination
        self.layout = layout
        self.options = options
        self.ground = ground
        drift = DriftList(destination)
    }

    /// What was read of folders that somebody has removed since is not what is there.
    private func holdGround() throws {
        if try ground.hold() { state.withLock { $0.remembered = nil } }
    }

    /// While nothing else becomes visible.
    func whileShowing<Value>(_ work: () throws -> Value) rethrows -> Value { try showing.withLock { _ in try work() } }

    /// Whether compressed files turned out to be more than may be published, since this was opened.
    var hasTooManyFiles: Bool { state.withLock { $0.hasTooManyFiles } }
    func noteTooManyFiles() { state.withLock { $0.hasTooManyFiles = true } }
    /// The commit whose compressed files could not be made: the next one's may be.
    var incompressible: ObjectID? {
        get { state.withLock { $0.incompressible } }
        set { state.withLock { $0.incompressible = newValue } }
    }

    func withObjectPruning(_ prune: () throws -> Bool) rethrows {
        guard state.withLock({ $0.mayPruneObjects && $0.isSettled }) else { return }
        let isDone = try prune()
        if isDone { state.withLock { $0.mayPruneObjects = false } }
    }

    /// What is made of commits, as it was decided at the start.
    public var recipe: Recipe { options.recipe }
    /// The layout that was decided at the start.
    public var layoutKind: LayoutKind { layout.kind }
    private var now: Int64 { Int64(time(nil)) }
    /// For what is moved out of the way.
    func lostAndFound() -> LostAndFound { LostAndFound(destination, now: now, remembering: kept) }

    private func recover() throws -> [Notice] {
        let lostAndFound = lostAndFound()
        try? destination.sweepState()
        _ = try? endInspection()
        try drift.restore()
        return try layout.recover(keeping: lostAndFound) + lostAndFound.notices
    }

    /// What is visible now; `nil` when nothing of ours is. A few system calls when it is what it was the last time.
    public func published() throws -> Published? {
        guard let identity = try layout.identity() else { return nil }
        if let known = state.withLock({ $0.remembered }), known.identity == identity { return known.published }
        guard let visible = try layout.visible(), visible.isSame, visible.record.layout == layout.kind else {
            return nil
        }
        let remembered = Remembered(
            identity: identity, published: Published(visible.record), parts: parts(of: visible.record.revision),
            sample: Sample(of: visible.record))
        state.withLock { $0.remembered = remembered }
        return remembered.published
    }

    /// The submodules of what is visible, as of the last time that this was asked; `nil` for none.
    public var parts: Composite.Parts? { state.withLock { $0.remembered?.parts } }

    /// Only told to people: what cannot be read is not told.
    private func parts(of revision: Revision) -> Composite.Parts? {
        guard revision.recipe.followsSubmodules, destination.store.exists else { return nil }
        return try? destination.store.open().composite(of: revision.commit, recipe: revision.recipe.digest)?.parts
    }

    /// What is looked at of what is visible; `nil` when nothing of ours is.
    func sample() throws -> Sample? { try published() == nil ? nil : state.withLock { $0.remembered?.sample } }

    /// Writes down what turned out to be true of what is visible.
    func rewriteRecord(_ record: TreeRecord) throws {
        try layout.rewrite(record)
        state.withLock { $0.remembered = nil }
    }

    /// How many paths that somebody else had changed were made anew, since this was opened.
    public var repaired: Int { drift.repaired }

    /// What is in lost+found, as of the last time that this was looked after; `nil` for nothing.
    public var lost: Lost? { state.withLock { $0.lost } }

    /// What is free where trees are made; `nil` when that cannot be told.
    public var freeBytes: Int64? { try? Space.free(in: Directory(opening: destination.volumeFolder)).space.bytes }

    /// How many trees are on the disk: what is visible and those that trail it.
    public var treeCount: Int { layout.treeCount }

    /// Whether the next pass has something to make anew.
    public var hasDrifted: Bool { !drift.paths.isEmpty }

    /// What the store must not lose: what is published and was before, and what the trees hold that trail it.
    public func commitsToKeep() throws -> [ObjectID] {
        let repository = try destination.store.open()
        var commits = [try published()?.commit].compactMap { $0 } + repository.publishedCommits()
        if let fetched = repository.fetchedCommit() { commits.append(fetched) }
        commits += try layout.spareRecords().map(\.commit)
        commits += try repository.composites(of: Set(commits))
        var seen: Set<ObjectID> = []
        return try commits.filter { try seen.insert($0).inserted && repository.contains($0) }
    }

    /// The bytes of the largest tree on the disk; `nil` when there is none.
    public func largestTree() throws -> Int64? {
        ([try published()?.bytes].compactMap { $0 } + (try layout.spareRecords().map(\.count.bytes))).max()
    }

    /// Whether that commit, as this publisher is set up, is what is visible.
    public func shows(_ commit: ObjectID) throws -> Bool {
        try holdGround()
        guard try !layout.isInterrupted(), !hasDrifted else { return false }
        let shows = try (hasPublished(commit) || hasSameFolder(commit)) && isInSight()
        if shows { state.withLock { $0.isSettled = true } }
        return shows
    }

    /// Objects of Git LFS are brought for a commit that is not visible yet.
    public func noteDelivery() { state.withLock { ($0.isSettled, $0.mayPruneObjects) = (false, true) } }

    /// The newest commit that is known to be what is visible: in the folder that is published a later one may be the same.
    public func latestCommit() throws -> ObjectID? {
        guard let published = try published() else { return nil }
        guard options.recipe.subdirectory != .root, let fetched = try? destination.store.open().fetchedCommit(),
            try hasSameFolder(fetched)
        else { return published.commit }
        return fetched
    }

    /// Whether the folder that is published is the same in that commit: a push elsewhere in the repository publishes nothing.
    private func hasSameFolder(_ commit: ObjectID) throws -> Bool {
        let recipe = options.recipe
        guard recipe.subdirectory != .root, let published = try published(),
            published.revision.recipe == recipe || lacksCompressedFiles(published.revision.recipe),
            destination.store.exists
        else { return false }
        let repository = try destination.store.open()
        // What is not here is not the same.
        guard let root = try? repository.root(of: commit, as: recipe) else { return false }
        return (try? repository.subtree(of: root, at: recipe.subdirectory)) == published.tree
    }

    /// Whether that commit, as this publisher is set up, is what was published last, whatever has become of it on the disk.
    public func hasPublished(_ commit: ObjectID) throws -> Bool {
        guard let published = try published(), published.commit == commit else { return false }
        let recipe = published.revision.recipe
        return recipe == options.recipe || lacksCompressedFiles(recipe)
    }

    /// Makes files that equal the commit's tree, where nobody sees them yet.
    ///
    /// - Throws: `PublishingError`, `DiskError`, `GitError`; `CancellationError` between two files. Nothing visible has
    ///   changed then, and what was staged is removed.
    public func materialize(_ commit: Commit, from contents: borrowing Contents) throws -> StagedTree {
        let tree = try contents.repository.folder(options.recipe.subdirectory, of: commit)
        let lostAndFound = lostAndFound()
        // One that was cut short.
        _ = try endInspection()
        // What somebody changed since the last look is made anew with it, also where the commits do not differ.
        let known = Set(drift.paths)
        _ = try? isInSight()
        let drifted = drift.paths
        let now = now
        var staged = try compressing { layout in
            try layout.materialize(
                commit, tree: tree, from: contents, now: now, drifted: drifted, .pass, keeping: lostAndFound)
        }
        staged.notices += lostAndFound.notices
        // In a folder that is others' too it is no news that they change something.
        if layout.kind.isAlone {
            staged.notices += drifted.filter { !known.contains($0) }.map { .drifted(path: $0) }
        }
        staged.mended = drifted
        return staged
    }

    /// Makes a staged tree visible.
    ///
    /// - Returns: what a person should know.
    public func publish(_ staged: StagedTree) throws -> [Notice] {
        let lostAndFound = lostAndFound()
        try whileShowing {
            state.withLock { $0.remembered = nil }
            try layout.publish(staged, keeping: lostAndFound)
        }
        drift.end(of: staged.mended)
        state.withLock { state in
            state.isSettled = true
            if staged.dropsObjects { state.mayPruneObjects = true }
        }
        return staged.notices + lostAndFound.notices
    }

    /// Removes trees that are no longer needed, and has a spare ready for the next update that equals what is visible. Between
    /// passes: it can be stopped between two files, and goes on at the next call.
    ///
    /// - Parameters:
    ///   - makingSpares: whether there will be a next update in this process.
    ///   - isStopped: asked often.
    /// - Returns: the time until there is more to do, `nil` for nothing; and what a person should know.
    public func tidy(
        makingSpares: Bool, isStopped: @escaping @Sendable () -> Bool
    ) throws -> (next: Duration?, notices: [Notice]) {
        _ = try endInspection()
        let lostAndFound = lostAndFound()
        // What drifted is made anew first, what is to be completed is completed: a tree that is made of it would have to be made twice.
        let isWaiting = try hasDrifted || needsCompressedFiles()
        var next = try layoutForUpkeep.tidy(
            makingSpares: makingSpares && !isWaiting, now: wallSeconds(), isStopped: isStopped, keeping: lostAndFound)
        let added = try addCompressedFiles(isStopped: isStopped)
        if added != nil { next = 0 }
        try pruneObjects(isStopped: isStopped)
        let found = try? Lost(in: destination, isStopped: isStopped)
        state.withLock { $0.lost = found }
        return (next.map { .seconds($0) }, lostAndFound.notices + (added ?? []))
    }
}

import Content
import Git
import Logging
import Publishing
import Trust
import Upstream

/// One pass: is the remote ahead of what is published, and if so, publish it.
struct Pass: Sendable {
    let settings: Settings
    let upstream: any Upstream
    let deployment: Deployment
    let progress: ProgressReporter
    /// What the remote brings must pass it; what an operator holds need not.
    let gate: Gate?
    /// What the remote brings must be signed by somebody who may publish; `nil` where everybody may who can push.
    let trust: TrustCheck?
    /// Brings what a commit names of other repositories.
    let submodules: SubmoduleFetch
    /// Ends what is done in the background: called before anything is changed.
    let makeWay: @Sendable () async -> Void

    private var publisher: Publisher { deployment.publisher }
    private var executor: GitExecutor { deployment.executor }
    private var logger: Logger { deployment.logger }

    struct Outcome: Sendable, Equatable {
        /// The commit that the remote named; `nil` where it was not asked.
        var advertised: ObjectID?
        /// What was made visible; `nil` when that is what was so before.
        var published: ObjectID?
        /// Who has signed it, where that was looked at.
        var signer: Signer?
        /// What came with it, where that can be told.
        var change: Status.Change?
        /// Whether something came all the same.
        var hasFetched = false
    }

    /// - Throws: `SyncError` with the stage that failed, `CancellationError`.
    func run() async throws -> Outcome {
        let before = try await at(.publish) { try await executor.run { try publisher.published() } }
        let held = try hold()
        let (found, advertised) =
            if let held { (try await prove(held), nil as ObjectID?) } else { try await ask(after: before) }
        guard let found else { return Outcome(advertised: advertised) }
        // What publishes nothing nobody has to have signed, in this pass as in those after it.
        if trust != nil, let outcome = try await elsewhere(found, advertised) { return outcome }
        let target = try await trusted(found)
        try await submodules.bring(for: target)
        if let outcome = try await elsewhere(target, advertised) { return outcome }
        // What has been shown before, and what an operator holds, needs no leave.
        let isKnown = try await executor.run { try publisher.hasPublished(target.commit) }
        let staged = try await deployment.materialize(target)
        try await deployment.judge(staged, target, by: isKnown || !target.isFetched ? nil : gate, replacing: before)
        try await deployment.publish(staged, target, replacing: before)
        let change = await deployment.change(by: target.commit, since: before)
        return Outcome(advertised: advertised, published: target.commit, signer: target.signer, change: change)
    }

    /// The folder that is published may be what it was, whatever else of the repository is another.
    private func elsewhere(_ target: Target, _ advertised: ObjectID?) async throws -> Outcome? {
        guard target.isFetched, try await isShown(target.commit) else { return nil }
        try await deployment.noteFetched(target.commit)
        return Outcome(advertised: advertised, hasFetched: true)
    }

    /// What an operator holds was published before: it needs no new proof.
    private func trusted(_ found: Target) async throws -> Target {
        guard let trust, found.isFetched else { return found }
        var target = found
        deployment.journal.enter(.trust)
        let signer = try await trust.signer(of: target)
        logger.info("trusted", metadata: ["signer": "\(signer.name)", "key": "\(signer.fingerprint)"])
        target.signer = signer
        return target
    }

    /// Asks the remote and brings what it has, all over one connection.
    ///
    /// - Returns: no target when there is nothing new, and what the remote names where it was asked.
    private func ask(after before: Published?) async throws -> (target: Target?, advertised: ObjectID?) {
        if let fixed = upstream.fixed, try await isShown(fixed.commit) { return (nil, nil) }
        var stage = Stage.discover
        deployment.journal.enter(stage)
        do {
            return try await LoopLane.leave {
                try await upstream.connected { remote in
                    let advertisement = try await remote.discover()
                    deployment.journal.note(ref: advertisement.ref.text, commit: "\(advertisement.commit)")
                    if try await isShown(advertisement.commit) { return (nil, advertisement.commit) }
                    await makeWay()
                    for warning in advertisement.warnings {
                        logger.warning("ambiguous", metadata: ["ref": "\(warning)"])
                    }
                    stage = .fetch
                    deployment.journal.enter(stage)
                    try await fetch(advertisement, from: remote, after: before)
                    let target = Target(
                        commit: advertisement.commit, ref: advertisement.ref, isFetched: true, tag: advertisement.tag)
                    return (target, advertisement.commit)
                }
            }
        } catch let error as CancellationError {
            progress.finish()
            throw error
        } catch {
            progress.finish()
            throw SyncError(error, at: stage)
        }
    }

    private func fetch(_ advertisement: Advertisement, from remote: any Remote, after before: Published?) async throws {
        let request = FetchRequest(
            advertisement: advertisement, store: publisher.destination.store, depth: settings.depth,
            mustFollow: settings.fastForwardOnly ? try await lastKnown(before) : nil,
            folder: publisher.recipe.subdirectory, needsTag: settings.trust?.needsTag ?? false,
            maxBytes: settings.maxPack)
        try await remote.fetch(request, progress: progress.reporting(upTo: settings.maxPack))
        progress.finish()
    }

    /// Whether what is served is that commit's tree, whole.
    private func isShown(_ commit: ObjectID) async throws -> Bool {
        let isShown = try await at(.publish) { try await executor.run { try publisher.shows(commit) } }
        if isShown { logger.debug("unchanged", metadata: ["commit": "\(commit)"]) }
        return isShown
    }

    /// What an operator holds in place of what the remote says.
    private func hold() throws -> ObjectID? {
        let file = HoldFile(publisher.destination)
        guard let hold = try file.read() else { return nil }
        guard hold.ref == settings.upstream.ref.description, let commit = ObjectID(hex: hold.commit) else {
            file.remove()
            logger.notice("hold ended", metadata: ["commit": "\(hold.commit)", "ref": "\(settings.upstream.ref)"])
            return nil
        }
        return commit
    }

    /// Nothing is fetched for a commit that is held: it is in the store, or it is gone.
    ///
    /// - Returns: `nil` when it is shown already.
    private func prove(_ commit: ObjectID) async throws -> Target? {
        if try await isShown(commit) { return nil }
        await makeWay()
        let (store, recipe, limits) = (publisher.destination.store, publisher.recipe, settings.publishing.limits)
        let isHere = try await at(.fetch) { try await executor.run { try store.open().contains(commit) } }
        guard isHere else { throw Self.gone(commit) }
        // With another recipe than the one that it was published by, they are not put together yet.
        try await submodules.bring(for: Target(commit: commit, ref: ReferenceName.empty))
        do {
            try await executor.run {
                let repository = try store.open()
                let root = try repository.root(of: commit, as: recipe)
                // A folder that is not there is told of when the tree is made.
                guard let tree = try repository.subtree(of: root, at: recipe.subdirectory) else { return }
                try repository.proveConnected(
                    tree: tree, given: nil, depth: limits.depth, folders: limits.files)
            }
        } catch let error as GitError where error.isNotFound {
            throw Self.gone(commit)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw SyncError(error, at: .fetch)
        }
        return Target(commit: commit, ref: ReferenceName.empty)
    }

    private static func gone(_ commit: ObjectID) -> SyncError {
        SyncError(
            stage: .fetch, cause: "the objects of commit \(commit), which is held, are gone from the store",
            remedy: "run `sidekick resume` to follow the remote again", recovery: .fixConfiguration,
            exitCode: .dataError)
    }

    /// The commit that the next one must follow. When DESTINATION was lost, it is the one that was fetched last.
    private func lastKnown(_ published: Published?) async throws -> ObjectID? {
        let publisher = publisher
        if published != nil { return try await at(.fetch) { try await executor.run { try publisher.latestCommit() } } }
        let store = publisher.destination.store
        return try await at(.fetch) {
            try await executor.run { store.exists ? try store.open().fetchedCommit() : nil }
        }
    }

    private func at<Value>(_ stage: Stage, _ work: () async throws -> Value) async throws -> Value {
        try await deployment.at(stage, work)
    }
}

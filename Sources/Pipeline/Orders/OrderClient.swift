import FoundationEssentials
import Git
import Glibc
public import Logging
import Publishing

/// Brings an order to the process that owns a DESTINATION, or, where there is none, carries it out itself.
public enum OrderClient {
    /// - Parameter state: SIDEKICK_STATE, as it was given.
    /// - Throws: `SyncError`, `CancellationError`.
    public static func perform(
        _ order: Order, destination: String, state: String?, logger: Logger
    ) async throws -> Answer {
        do {
            let destination = try Destination(destination, state: state)
            try destination.actAsOwner()
            while true {
                if try destination.isOwned {
                    if let answer = try await ask(order, destination) { return answer }
                } else if order == .sync {
                    // How it asks the remote, whoever runs knows.
                    throw SyncError(
                        stage: .configure, cause: "no sidekick is running on \(destination.path)",
                        remedy: "start it, or run one pass with --once", recovery: .fixConfiguration,
                        exitCode: .unavailable)
                } else {
                    do {
                        return try await carryOut(order, destination, logger)
                    } catch PublishingError.destinationBusy {
                        continue
                    }
                }
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw SyncError(error, at: .configure)
        }
    }

    /// - Returns: `nil` when the owner went away before it took the order.
    private static func ask(_ order: Order, _ destination: Destination) async throws -> Answer? {
        let box = OrderBox(destination)
        let id: String
        do {
            id = try box.put(order)
        } catch {
            throw SyncError(
                stage: .configure, cause: "the order cannot be left in \(destination.stateFolder)",
                remedy: "run this as the user that sidekick runs as, or as root", recovery: .fixConfiguration,
                exitCode: .cannotCreate)
        }
        let isSignaled = destination.owner.map { kill($0, SIGHUP) == 0 } ?? false
        let end = ContinuousClock.now + .seconds(OrderBox.patience)
        while ContinuousClock.now < end {
            if let answer = box.takeAnswer(id) { return answer }
            if try !destination.isOwned, box.withdraw(id) { return nil }
            do {
                try await Task.sleep(for: .milliseconds(20))
            } catch {
                box.withdraw(id)
                throw error
            }
        }
        guard box.withdraw(id) else {
            throw SyncError(
                stage: .configure, cause: "the sidekick of \(destination.path) took the order and has not answered yet",
                remedy: "look at `sidekick status` and at its log", recovery: .retry, exitCode: .temporaryFailure)
        }
        let reason = isSignaled ? "does not answer" : "cannot be signaled from here, and had no pass"
        throw SyncError(
            stage: .configure,
            cause: "the sidekick of \(destination.path) \(reason) within \(Int(OrderBox.patience)) s",
            remedy: "run this in its container, and look at its log", recovery: .retry, exitCode: .temporaryFailure)
    }

    private static func carryOut(_ order: Order, _ destination: Destination, _ logger: Logger) async throws -> Answer {
        let executor = GitExecutor()
        let (publisher, notices) = try await executor.run {
            guard let options = try destination.publishedOptions() else {
                throw PublishingError.nothingPublished(destination.path)
            }
            return try Publisher.open(destination, options: options)
        }
        logger.report(notices)
        let deployment = Deployment(publisher: publisher, executor: executor, journal: Journal(), logger: logger)
        let ref = (try? StatusReport.read(destination))?.status.ref ?? ""
        let desk = OrderHandler(deployment: deployment, ref: ref)
        let answer = await desk.carryOut(order) {
            if order == .repair {
                guard let before = try await executor.run({ try publisher.published() }) else { return }
                return try await deployment.deploy(Target(commit: before.commit, ref: nil), replacing: before)
            }
            // Only what is held can be published without the remote; the next start follows it again.
            guard let hold = try HoldFile(destination).read(), let commit = ObjectID(hex: hold.commit) else { return }
            let before = try await executor.run { try publisher.published() }
            guard before?.commit != commit else { return }
            try await deployment.deploy(Target(commit: commit, ref: ReferenceName.empty), replacing: before)
        }
        // An old status is no reason to call the order failed.
        try? Status.rewrite(destination, publisher)
        return answer
    }
}

import Git
public import Logging
import Publishing
import Upstream

/// Passes for ever: one, a pause, the next. A pass that fails changes the pause, never ends the loop.
public struct Loop: Sendable {
    private let settings: Settings
    private let pass: Pass
    private let publisher: Publisher
    private let executor: GitExecutor
    private let doorbell: Doorbell
    private let logger: Logger
    private let status: StatusFile

    /// Takes possession of DESTINATION and finishes what an earlier process left unfinished.
    ///
    /// - Parameters:
    ///   - doorbell: what starts a pass before its time.
    ///   - terminal: whether progress may be drawn over one line.
    /// - Throws: `SyncError` of the stage `configure`: nothing that a later pass could mend.
    public static func open(
        _ settings: Settings, doorbell: Doorbell, logger: Logger, terminal: Bool, version: String
    ) async throws -> Loop {
        do {
            let executor = GitExecutor()
            let (publisher, notices) = try await executor.run {
                let destination = try Destination(settings.destination, state: settings.state)
                return try Publisher.open(destination, options: settings.publishing)
            }
            for notice in notices { logger.warning("notice", metadata: ["what": "\(notice)"]) }
            logger.info(
                "started",
                metadata: [
                    "version": "\(version)", "repository": "\(settings.upstream.url)",
                    "ref": "\(settings.upstream.ref)",
                    "destination": "\(publisher.destination.path)", "layout": "\(publisher.layout.rawValue)",
                    "state": "\(publisher.destination.state)",
                ])
            let upstream = try settings.upstream.makeUpstream(on: executor)
            return Loop(settings, upstream, publisher, executor, doorbell, logger, terminal, version)
        } catch {
            throw SyncError(error, at: .configure)
        }
    }

    private init(
        _ settings: Settings, _ upstream: any Upstream, _ publisher: Publisher, _ executor: GitExecutor,
        _ doorbell: Doorbell, _ logger: Logger, _ terminal: Bool, _ version: String
    ) {
        self.settings = settings
        self.publisher = publisher
        self.executor = executor
        self.doorbell = doorbell
        self.logger = logger
        status = StatusFile(settings: settings, publisher: publisher, version: version)
        pass = Pass(
            settings: settings, upstream: upstream, publisher: publisher, executor: executor, logger: logger,
            progress: ProgressReporter(logger: logger, terminal: terminal))
    }

    /// Passes until the task is cancelled.
    public func run() async {
        let schedule = Schedule(delay: settings.delay, cap: settings.backoff)
        var dice = SystemRandomNumberGenerator()
        var failures = FailureLog(logger: logger)
        while !Task.isCancelled {
            let pause: Double
            do {
                let outcome = try await runPass()
                failures.recovered()
                pause = schedule.pause(failures: 0, using: &dice)
                await status.note(outcome, nextIn: pause, logger: logger)
            } catch let error as SyncError {
                failures.failed(error)
                pause = schedule.pause(failures: failures.count, using: &dice)
                await status.note(error, failures: failures.count, nextIn: pause, logger: logger)
                await mend(error)
            } catch {
                return
            }
            await wait(pause)
        }
    }

    /// One pass.
    ///
    /// - Throws: `SyncError`, `CancellationError`.
    public func runOnce() async throws {
        do {
            let outcome = try await runPass()
            await status.note(outcome, nextIn: nil, logger: logger)
            _ = await tidy(makingSpares: false)
        } catch let error as SyncError {
            await status.note(error, failures: 1, nextIn: nil, logger: logger)
            await mend(error)
            throw error
        }
    }

    /// A pass with its deadline. The first one, which may have a large site to fetch, has none.
    private func runPass() async throws -> Pass.Outcome {
        let isFirst = try await executor.run { (try? publisher.published()) == nil }
        guard !isFirst else { return try await pass.run() }
        let deadline = settings.deadline
        return try await withThrowingTaskGroup(of: Pass.Outcome?.self) { group in
            group.addTask { try await pass.run() }
            group.addTask {
                try await Task.sleep(for: .seconds(deadline))
                return nil
            }
            defer { group.cancelAll() }
            if let outcome = try await group.next() ?? nil { return outcome }
            group.cancelAll()
            // What the pass was doing when its time was up is its own business; that it has ended is not.
            while let rest = await group.nextResult() {
                if case .success(let outcome?) = rest { return outcome }
            }
            throw SyncError(
                stage: .report, cause: "the pass took longer than \(deadline) s",
                remedy: "raise SIDEKICK_DEADLINE if the repository needs that long", recovery: .retry,
                exitCode: .temporaryFailure)
        }
    }

    /// The pause between two passes. What an update leaves to clean up, and what the next one will need, is done meanwhile,
    /// and given up when the pause ends.
    private func wait(_ seconds: Double) async {
        let trigger = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while let next = await tidy(makingSpares: true), !Task.isCancelled {
                    guard (try? await Task.sleep(for: .seconds(next + 0.01))) != nil else { return }
                }
            }
            defer { group.cancelAll() }
            return await doorbell.wait(orUntil: { try await Task.sleep(for: .seconds(seconds)) })
        }
        if trigger != nil { logger.info("pass requested") }
    }

    /// - Returns: the seconds until there is more to do.
    private func tidy(makingSpares: Bool) async -> Double? {
        do {
            let publisher = publisher
            let (next, notices) = try await BackgroundThread.run { isStopped in
                try publisher.tidy(makingSpares: makingSpares, isStopped: isStopped)
            }
            for notice in notices { logger.warning("notice", metadata: ["what": "\(notice)"]) }
            return next
        } catch {
            logger.warning("clean-up failed", metadata: ["cause": "\(SyncError(error, at: .report).cause)"])
            return nil
        }
    }

    /// A damaged store holds nothing that the remote does not: it is moved aside, and the tree stays up.
    private func mend(_ error: SyncError) async {
        guard error.recovery == .rebuildStore else { return }
        let store = publisher.destination.store
        do {
            try await executor.run { try store.setAside() }
            logger.warning("store moved aside", metadata: ["path": "\(store.path).damaged"])
        } catch {
            logger.error("store cannot be moved aside", metadata: ["cause": "\(error.fileFailure)"])
        }
    }
}

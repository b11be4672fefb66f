import Platform
import Git
public import Logging
import Publishing
import Upstream

/// Passes for ever: one, a pause, the next. A pass that fails changes the pause, never ends the loop.
public struct Loop: Sendable {
    let settings: Settings
    private let pass: Pass
    let publisher: Publisher
    let executor: GitExecutor
    private let doorbell: Doorbell
    private let sleep: @Sendable (Double) async throws -> Void
    let logger: Logger
    private let status: StatusFile
    private let traffic: Traffic
    let journal: Journal
    private let orders: OrderBox
    private let desk: OrderHandler
    private let hooks: HookRunner
    let upkeep = UpkeepClock()
    let uncleaned = LogOnce()
    let compactionCooldown = Cooldown(seconds: 3600)
    let background: BackgroundTask
    private let repairs = BackgroundTask()
    let upkeepExecutor = GitExecutor(label: "sidekick.upkeep")

    /// Takes possession of DESTINATION and finishes what an earlier process left unfinished.
    ///
    /// - Parameters:
    ///   - doorbell: what starts a pass before its time.
    ///   - journal: takes what passes do.
    ///   - notifier: takes notifications to SIDEKICK_NOTIFY_URL, when it is set.
    ///   - terminal: whether progress may be drawn over one line.
    /// - Throws: `SyncError` of the stage `configure`: nothing that a later pass could mend.
    public static func open(
        _ settings: Settings, doorbell: Doorbell, journal: Journal, notifier: (any Notifier)?, logger: Logger,
        terminal: Bool, version: String
    ) async throws -> Loop {
        try await LoopLane.run {
            try await begin(
                settings, doorbell: doorbell, journal: journal, notifier: notifier, logger: logger, terminal: terminal,
                version: version)
        }
    }

    /// - Parameters:
    ///   - remote: in place of the one at the address.
    ///   - sleep: waits for the time between two passes, in seconds.
    static func begin(
        _ settings: Settings, doorbell: Doorbell, journal: Journal, notifier: (any Notifier)? = nil, logger: Logger,
        terminal: Bool = false, version: String = "0", remote: (any Upstream)? = nil,
        sleep: @escaping @Sendable (Double) async throws -> Void = { try await Alarm.wait($0) }
    ) async throws -> Loop {
        do {
            let limits = settings.publishing.limits
            ObjectLimits(blob: limits.blob, files: limits.files).enforce()
            let executor = GitExecutor()
            let (publisher, notices) = try await executor.run {
                let destination = try Destination(settings.destination, state: settings.state)
                return try Publisher.open(destination, options: settings.publishing)
            }
            logger.report(notices)
            if settings.hooks.beforePublish != nil, publisher.layoutKind == .folder { throw Gate.hasNoTree }
            logger.info(
                "started",
                metadata: [
                    "version": "\(version)", "repository": "\(settings.upstream.url)",
                    "ref": "\(settings.upstream.ref)",
                    "destination": "\(publisher.destination.path)", "layout": "\(publisher.layoutKind.rawValue)",
                    "state": "\(publisher.destination.state)",
                ])
            var options = settings.upstream
            options.agent = "sidekick/\(version)"
            let traffic = Traffic()
            let upstream =
                try remote
                ?? options.makeUpstream(on: executor, counting: traffic) {
                    logger.warning("notice", metadata: ["what": "\($0)"])
                }
            journal.metrics.set(of: .build, version)
            let earlier = try? StatusReport.read(publisher.destination)
            if let earlier { journal.note(earlier) }
            journal.watchSteps { settings.publishing.heartbeat.silence }
            let look = GitExecutor(label: "sidekick.look")
            journal.lookForServed { await (try? look.run { publisher.isServing() }) ?? false }
            let loop = Loop(
                settings, upstream, traffic, publisher, executor, doorbell, journal, notifier, logger, terminal,
                version, sleep
            )
            // What is served meanwhile, while the first pass goes on.
            loop.status.tell(earlier?.status.failure)
            loop.measure()
            return loop
        } catch {
            throw SyncError(error, at: .configure)
        }
    }

    private init(
        _ settings: Settings, _ upstream: any Upstream, _ traffic: Traffic, _ publisher: Publisher,
        _ executor: GitExecutor, _ doorbell: Doorbell, _ journal: Journal,
        _ notifier: (any Notifier)?, _ logger: Logger, _ terminal: Bool, _ version: String,
        _ sleep: @escaping @Sendable (Double) async throws -> Void
    ) {
        self.sleep = sleep
        self.settings = settings
        self.publisher = publisher
        self.executor = executor
        self.traffic = traffic
        self.doorbell = doorbell
        self.journal = journal
        self.logger = logger
        status = StatusFile(settings: settings, publisher: publisher, journal: journal, version: version)
        var deployment = Deployment(publisher: publisher, executor: executor, journal: journal, logger: logger)
        let hooks = HookRunner(settings, deployment, notifier: notifier)
        deployment.hooks = hooks
        self.hooks = hooks
        let background = BackgroundTask()
        self.background = background
        pass = Pass(
            settings: settings, upstream: upstream, deployment: deployment,
            progress: ProgressReporter(logger: logger, terminal: terminal), gate: Gate(settings.hooks, deployment),
            makeWay: { await background.stop() })
        orders = OrderBox(publisher.destination)
        desk = OrderHandler(deployment: deployment, ref: settings.upstream.ref.description)
    }

    /// Passes until the task is cancelled.
    public func run() async {
        await LoopLane.run {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await hooks.run() }
                await follow()
                group.cancelAll()
            }
        }
    }

    private func follow() async {
        let schedule = Schedule(delay: settings.delay, cap: settings.backoff)
        var dice = SystemRandomNumberGenerator()
        var failures = FailureLog(logger: logger)
        orders.sweep()
        await survey()
        var isFirst = true
        var trigger: Trigger?
        var (advertised, expected): (ObjectID?, ExpectedPush?)
        var watch = watching()
        defer { withExtendedLifetime(watch) {} }
        while !Task.isCancelled {
            var pause = 0.0
            await serveOrders()
            do {
                let outcome = try await runPass(trigger) { error, wasServing in
                    if let error { failures.failed(error) } else { failures.recovered() }
                    pause = max(
                        schedule.pause(
                            failures: failures.count, isFirst: isFirst, isServing: wasServing, using: &dice),
                        error?.retryAfter ?? 0)
                    return (failures.count, pause)
                }
                advertised = outcome.advertised ?? advertised
            } catch let error as SyncError {
                await mend(error)
            } catch {
                break
            }
            isFirst = false
            // A repository that was not there, or that another one has taken the place of. What was missed meanwhile is asked.
            if watch?.isOver != false {
                watch = watching()
                if watch != nil { doorbell.ring(.change) }
            }
            // In the background the next update would end it, and it would begin anew after each.
            if compactionCooldown.isOver, publisher.destination.store.compaction() == .overdue { await compact() }
            HookChildren.reapZombies()
            // A pass that failed is repeated by itself.
            let again = failures.count > 0 ? nil : expected?.pause(after: advertised)
            if failures.count == 0, again == nil { expected = nil }
            let ring = await wait(min(pause, again ?? pause))
            trigger = ring?.trigger ?? (again == nil ? nil : .webhook)
            if let commit = ring?.expected { expected = ExpectedPush(commit, before: advertised) }
        }
        await background.stop()
        journal.close()
        await repairs.stop()
    }

    private func watching() -> (any Watch)? { pass.upstream.watch { [doorbell] in doorbell.ring(.change) } }

    /// One pass.
    ///
    /// - Throws: `SyncError`, `CancellationError`.
    public func runOnce() async throws { try await LoopLane.run { try await passOnce() } }

    private func passOnce() async throws {
        await survey()
        do {
            _ = try await runPass(nil) { error, _ in (error == nil ? 0 : 1, nil) }
            await compact()
            await tidy(makingSpares: false)
        } catch let error as SyncError {
            await mend(error)
            try? await hooks.runOnce()
            throw error
        }
        try await hooks.runOnce()
    }

    /// What the end of this process must not leave behind, when nobody waits for it any more.
    public static func abandon() { HookChildren.killAll() }

    /// A pass, and what is told of it.
    ///
    /// - Parameter next: takes why it failed, if it did, and whether something was published before; the failures in a row, and
    ///   the pause before the next pass.
    /// - Throws: `SyncError`, `CancellationError`.
    private func runPass(
        _ trigger: Trigger?, next: (SyncError?, _ wasServing: Bool) -> (failures: Int, pause: Double?)
    ) async throws -> Pass.Outcome {
        let isFirst = try await executor.run { (try? publisher.published()) == nil }
        journal.begin(trigger, isBounded: !isFirst)
        do {
            let watch = PassWatch(
                deadline: settings.deadline, isFirst: isFirst, journal: journal, traffic: traffic,
                isLocal: settings.upstream.url.transport == .local, logger: logger
            ) { [status] in status.noteRunning($0) }
            let outcome = try await watch.over { try await pass.run() }
            if outcome.published != nil { Heap.giveBack() }
            await report(outcome, nil) { next($0, !isFirst) }
            return outcome
        } catch let error as CancellationError {
            throw error
        } catch {
            // Whatever a pass throws is its failure: nothing but a cancellation ends the loop.
            let error = SyncError(error, at: .report)
            await report(nil, error) { next($0, !isFirst) }
            throw error
        }
    }

    private func report(
        _ outcome: Pass.Outcome?, _ error: SyncError?, next: (SyncError?) -> (failures: Int, pause: Double?)
    ) async {
        journal.enter(.report)
        if outcome == nil || outcome?.published != nil {
            upkeep.ring()
            measure()
        }
        journal.metrics.set(Double(traffic.requests), of: .requests)
        journal.metrics.set(Double(traffic.received), of: .received)
        journal.metrics.set(Double(traffic.sent), of: .sent)
        let (failures, pause) = next(error)
        let status = status.note(error, failures: failures, nextIn: pause, logger: logger)
        hooks.notePass(status.failure)
        let result: Attempt.Result = error != nil ? .failed : outcome?.published == nil ? .unchanged : .published
        journal.end(result, commit: error == nil ? status.published?.commit : nil, error)
    }

    /// Looks for what somebody else changed while no process owned DESTINATION. The first pass makes it anew.
    private func survey() async {
        do {
            let drifted = try await executor.run { try publisher.survey() }
            if drifted > 0 { logger.warning("drift", metadata: ["paths": "\(drifted)"]) }
            if let commit = try await executor.run({ try publisher.published()?.commit }) {
                await pass.deployment.noteHistory(of: commit)
            }
        } catch {
            logger.warning("drift cannot be looked for", metadata: ["cause": "\(SyncError(error, at: .report).cause)"])
        }
    }

    /// What operators asked for since the last pass.
    private func serveOrders() async {
        for (id, order) in orders.take() {
            if order == .repair {
                repair(id)
                continue
            }
            await background.stop()
            let answer = await desk.carryOut(order) {
                _ = try await runPass(.order) { error, _ in (error == nil ? 0 : 1, settings.delay) }
            }
            orders.answer(id, answer)
        }
    }

    /// Compares while passes go on: what differs is made anew by one of them.
    private func repair(_ id: String) {
        let (desk, orders, journal, doorbell) = (desk, orders, journal, doorbell)
        let isAlone = repairs.start {
            let answer = await desk.carryOut(.repair) {
                let number = journal.lastBegun
                doorbell.ring(.order)
                guard let attempt = await journal.pass(after: number) else { throw CancellationError() }
                if let cause = attempt.cause, let stage = attempt.stage {
                    throw SyncError(
                        stage: stage, cause: cause, remedy: attempt.remedy ?? "", recovery: .retry, exitCode: .ioError)
                }
            }
            orders.answer(id, answer)
        }
        if !isAlone { orders.answer(id, Answer(isDone: false, lines: ["another one is going on: ask again"])) }
    }

    /// The pause between two passes. What an update leaves to clean up, and what the next one will need, is done meanwhile; it
    /// goes on through passes that find nothing, and makes way for one that does.
    private func wait(_ seconds: Double) async -> Ring? {
        background.start { await keepUp() }
        let ring = await doorbell.wait(orUntil: { [sleep] in try await sleep(seconds) })
        if let ring { logger.info("pass requested", metadata: ["by": "\(ring.trigger.rawValue)"]) }
        return ring
    }
}

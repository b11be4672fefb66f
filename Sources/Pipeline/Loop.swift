import Platform
import Git
import Logging
import Publishing
import Upstream

/// Passes for ever: one, a pause, the next. A pass that fails changes the pause, never ends the loop.
public struct Loop: Sendable {
    let settings: Settings
    let pass: Pass
    let publisher: Publisher
    let executor: GitExecutor
    let doorbell: Doorbell
    let sleep: @Sendable (Duration) async throws -> Void
    let logger: Logger
    let status: StatusFile
    let traffic: Traffic
    let journal: Journal
    let orders: OrderBox
    let desk: OrderHandler
    let hooks: HookRunner
    let manager: ServiceManager?
    let heartbeat: Heartbeat?
    let upkeep = UpkeepClock()
    let uncleaned = LogOnce()
    let compactionCooldown = Cooldown(.seconds(3600))
    let background: BackgroundTask
    let repairs = BackgroundTask()
    let upkeepExecutor = GitExecutor(label: "sidekick.upkeep")

    /// Passes until the task is cancelled.
    public func run() async {
        await LoopLane.run {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await hooks.run() }
                group.addTask { await showLife() }
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
            var pause = Duration.zero
            await serveOrders()
            do {
                let outcome = try await runPass(trigger) { error, wasServing in
                    if let error { failures.failed(error) } else { failures.recovered() }
                    pause = max(
                        schedule.pause(
                            failures: failures.count, isFirst: isFirst, isServing: wasServing, using: &dice),
                        error?.retryAfter ?? .zero)
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

    /// For whoever has started this process, for as long as passes come as they should.
    private func showLife() async {
        guard let manager, let interval = manager.interval else { return }
        while (try? await Alarm.wait(interval)) != nil {
            if journal.complaint(deadline: settings.deadline) == nil { manager.tell("WATCHDOG=1") }
        }
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
        await heartbeat?.finish()
    }

    /// What the end of this process must not leave behind, when nobody waits for it any more.
    public static func abandon() { HookChildren.killAll() }

    /// A pass, and what is told of it.
    ///
    /// - Parameter next: takes why it failed, if it did, and whether something was published before; the failures in a row, and
    ///   the pause before the next pass.
    /// - Throws: `SyncError`, `CancellationError`.
    private func runPass(
        _ trigger: Trigger?, next: (SyncError?, _ wasServing: Bool) -> (failures: Int, pause: Duration?)
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
        _ outcome: Pass.Outcome?, _ error: SyncError?, next: (SyncError?) -> (failures: Int, pause: Duration?)
    ) async {
        journal.enter(.report)
        if outcome == nil || outcome?.published != nil || outcome?.hasFetched == true {
            upkeep.ring()
            measure()
        }
        journal.metrics.set(Double(traffic.requests), of: .requests)
        journal.metrics.set(Double(traffic.received), of: .received)
        journal.metrics.set(Double(traffic.sent), of: .sent)
        if let commit = outcome?.published { status.note(commit, signer: outcome?.signer, change: outcome?.change) }
        let (failures, pause) = next(error)
        let status = status.note(error, failures: failures, nextIn: pause, logger: logger)
        hooks.notePass(status.failure)
        let result: Attempt.Result = error != nil ? .failed : outcome?.published == nil ? .unchanged : .published
        journal.end(result, commit: error == nil ? status.published?.commit : nil, error)
        manager?.tell("STATUS=" + status.line)
        if error == nil { heartbeat?.beat() }
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
            logger.warning("drift cannot be looked for", metadata: ["cause": "\(SyncError.cause(of: error))"])
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
    private func wait(_ time: Duration) async -> Ring? {
        background.start { await keepUp() }
        let ring = await doorbell.wait(orUntil: { [sleep] in try await sleep(time) })
        if let ring { logger.info("pass requested", metadata: ["by": "\(ring.trigger.rawValue)"]) }
        return ring
    }
}

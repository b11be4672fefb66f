import Platform
import Trust
import Glibc
import Synchronization

/// What passes did, kept for whoever asks. The loop writes it and waits for nobody.
public final class Journal: Sendable {
    /// A pass that goes on.
    public struct Running: Codable, Sendable, Equatable {
        /// Its number.
        public var number: Int
        /// RFC 3339, UTC.
        public var began: String
        /// Where it is.
        public var stage: Stage
    }

    private struct Current {
        var number: Int
        var trigger: Trigger?
        /// For people; what is measured is measured with a clock that nobody sets.
        var began: Double
        var start: Double
        var isBounded: Bool
        var stage = Stage.configure
        var stageBegan: Double
        var stages: [String: Double] = [:]

        mutating func leave(at now: Double) {
            if stage != .configure { stages[stage.rawValue, default: 0] += now - stageBegan }
            stageBegan = now
        }
    }

    /// One that waits for the end of a pass.
    private struct Waiter {
        let id: Int
        let after: Int
        let continuation: CheckedContinuation<Attempt?, Never>
    }

    private struct State {
        var status: Status?
        var disk: LiveStatus.Disk?
        var current: Current?
        var count = 0
        var attempts: [Attempt] = []
        var lastSuccess: Double?
        var advertised: (ref: String, commit: String)?
        /// When the loop looks again at the latest; `nil` while it is at work.
        var nextPass: (time: Double, ticks: Double)?
        var waiting: [Waiter] = []
        var waiters = 0
        var isClosed = false
        var look: (@Sendable () async -> Bool)?
        var silence: (@Sendable () -> Duration?)?
    }

    /// Counts with it.
    public let metrics = Metrics()
    private let state = Mutex(State())
    private let now: @Sendable () -> Double
    /// Seconds of a clock that nobody sets, and that stands still while the machine does: timers wait by it.
    private let ticks: @Sendable () -> Double
    private let opened: Double
    /// Attempts that are remembered.
    static let length = 60

    /// An empty one.
    public convenience init() { self.init(now: wallSeconds) }

    init(now: @escaping @Sendable () -> Double, ticks: @escaping @Sendable () -> Double = monotonicSeconds) {
        (self.now, self.ticks) = (now, ticks)
        opened = ticks()
    }

    // MARK: what the loop writes

    /// - Parameter isBounded: whether the pass has a deadline.
    func begin(_ trigger: Trigger?, isBounded: Bool) {
        let now = now()
        metrics.set(now.rounded(.down), of: .lastAttempt)
        state.withLock { state in
            state.count += 1
            state.current = Current(
                number: state.count, trigger: trigger, began: now, start: ticks(), isBounded: isBounded,
                stageBegan: ticks())
            state.nextPass = nil
        }
    }

    /// The stage before has ended.
    func enter(_ stage: Stage) {
        state.withLock { state in
            state.current?.leave(at: ticks())
            state.current?.stage = stage
        }
    }

    /// What the remote says of the reference.
    func note(ref: String, commit: String) { state.withLock { $0.advertised = (ref, commit) } }

    func end(_ result: Attempt.Result, commit: String?, _ error: SyncError? = nil) {
        let now = now()
        let ended = state.withLock { state -> (Attempt, [Waiter])? in
            guard var current = state.current else { return nil }
            current.leave(at: ticks())
            let attempt = Attempt(
                number: current.number, trigger: current.trigger, began: timestamp(current.began),
                seconds: ticks() - current.start, stages: current.stages, result: result, commit: commit,
                stage: error?.stage, cause: error?.cause, remedy: error?.remedy)
            state.current = nil
            state.attempts.append(attempt)
            if state.attempts.count > Self.length { state.attempts.removeFirst() }
            if error == nil { state.lastSuccess = now }
            let ready = state.waiting.filter { $0.after < attempt.number }
            state.waiting.removeAll { $0.after < attempt.number }
            return (attempt, ready)
        }
        guard let (attempt, ready) = ended else { return }
        metrics.add(to: .passes, result.rawValue)
        for (stage, seconds) in attempt.stages { metrics.observe(seconds, in: .stageSeconds, stage) }
        if let error {
            metrics.add(to: .failures, error.stage.rawValue)
        } else {
            metrics.set(now.rounded(.down), of: .lastSuccess)
        }
        for waiting in ready { waiting.continuation.resume(returning: attempt) }
    }

    /// Where things stand, and when the loop looks again at the latest.
    func note(_ status: Status, nextIn pause: Duration?) {
        metrics.set(Double(status.failure?.count ?? 0), of: .consecutiveFailures)
        metrics.set(Double(status.repaired ?? 0), of: .repaired)
        metrics.set(status.hold == nil ? 0 : 1, of: .held)
        if let tree = status.published {
            metrics.set(of: .published, advertised?.ref ?? status.ref, tree.commit)
            metrics.set(tree.sinceSeconds, of: .lastPublish)
            if let signer = tree.signer {
                metrics.set(of: .signer, signer.name, signer.fingerprint)
            } else {
                metrics.clear(.signer)
            }
        } else {
            metrics.clear(.published)
            metrics.clear(.lastPublish)
        }
        state.withLock { state in
            state.status = status
            state.nextPass = pause.map { (now() + $0.inSeconds, ticks() + $0.inSeconds) }
        }
    }

    /// What the disk holds.
    func note(_ disk: LiveStatus.Disk) {
        metrics.set(Double(disk.store), of: .storeBytes)
        metrics.set(Double(disk.trees), of: .trees)
        state.withLock { $0.disk = disk }
    }

    /// When a pass of an earlier process last succeeded.
    func note(_ earlier: StatusReport) {
        if let time = earlier.lastSuccess { metrics.set(time, of: .lastSuccess) }
        state.withLock { $0.lastSuccess = earlier.lastSuccess }
    }

    /// No pass will end any more.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiting in waiting { waiting.continuation.resume(returning: nil) }
    }

    // MARK: what others read

    /// The number of the last pass that has begun: one that is asked for now is a later one.
    public var lastBegun: Int { state.withLock { $0.count } }

    /// The full name of the reference that is followed, and the commit that the remote named last.
    public var advertised: (ref: String, commit: String)? { state.withLock { $0.advertised } }

    /// Waits for the end of the first pass that began later than another.
    ///
    /// - Returns: `nil` when there will be none, or the task is cancelled.
    public func pass(after number: Int) async -> Attempt? {
        let id = state.withLock { state in
            state.waiters += 1
            return state.waiters
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Attempt?? = state.withLock { state in
                    if let attempt = state.attempts.first(where: { $0.number > number }) { return .some(attempt) }
                    if state.isClosed || Task.isCancelled { return .some(nil) }
                    state.waiting.append(Waiter(id: id, after: number, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: nil)
        }
    }

    /// Where things stand.
    public var live: LiveStatus? {
        state.withLock { state in
            state.status.map { status in
                LiveStatus(
                    status: status,
                    running: state.current.map {
                        Running(number: $0.number, began: timestamp($0.began), stage: $0.stage)
                    }, lastSuccess: state.lastSuccess.map { timestamp($0) },
                    nextPass: state.nextPass.map { timestamp($0.time) }, disk: state.disk,
                    attempts: state.attempts.reversed())
            }
        }
    }

    /// When a pass last ended without a failure, RFC 3339, UTC.
    var lastSuccess: String? { state.withLock { state in state.lastSuccess.map { timestamp($0) } } }

    /// Seconds since a pass last ended without a failure; `nil` when none has.
    public var age: Double? { state.withLock { state in state.lastSuccess.map { now() - $0 } } }

    /// - Parameter look: whether something is served at this moment.
    func lookForServed(_ look: @escaping @Sendable () async -> Bool) { state.withLock { $0.look = look } }

    /// Whether something is served: as of the last pass, and still. A disk that does not say so in a second serves nothing.
    public func isServing() async -> Bool {
        let (isPublished, look) = state.withLock { ($0.status?.published != nil, $0.look) }
        guard isPublished, let look else { return isPublished }
        // Whoever looks at a disk that hangs cannot be called back: he is left behind.
        return await withCheckedContinuation { continuation in
            let answer = Once { continuation.resume(returning: $0) }
            Task { answer(await look()) }
            Task {
                try? await Alarm.wait(Self.glance)
                answer(false)
            }
        }
    }

    /// How long a look may take.
    private static let glance = Duration.seconds(1)

    /// Passes on what comes first, and nothing else.
    private final class Once: Sendable {
        private let isOver = Mutex(false)
        private let take: @Sendable (Bool) -> Void

        init(_ take: @escaping @Sendable (Bool) -> Void) { self.take = take }

        func callAsFunction(_ value: Bool) {
            let isFirst = isOver.withLock { isOver in
                defer { isOver = true }
                return !isOver
            }
            if isFirst { take(value) }
        }
    }

    /// The stage of the pass that goes on; `nil` when there is none.
    var stage: Stage? { state.withLock { $0.current?.stage } }

    /// The pass that goes on; `nil` when there is none.
    var running: Running? {
        state.withLock { state in
            state.current.map { Running(number: $0.number, began: timestamp($0.began), stage: $0.stage) }
        }
    }

    /// Writes down how long the pass has gone on that does, before metrics are shown.
    public func measureRunning() {
        let seconds = state.withLock { state in state.current.map { ticks() - $0.start } ?? 0 }
        metrics.set(seconds.rounded(), of: .running)
    }

    /// - Parameter silence: how long ago work that has no bound made its last step; `nil` for none yet.
    func watchSteps(_ silence: @escaping @Sendable () -> Duration?) { state.withLock { $0.silence = silence } }

    /// Why the loop cannot be said to run; `nil` when it can.
    ///
    /// - Parameter deadline: SIDEKICK_DEADLINE.
    public func complaint(deadline: Duration) -> String? {
        let (now, deadline) = (ticks(), deadline.inSeconds)
        return state.withLock { state in
            if let current = state.current {
                // The first pass has no bound as a whole, but each stage of it has one, or makes steps.
                let stage = now - current.stageBegan
                let steps = current.stage == .materialize ? min(stage, state.silence?()?.inSeconds ?? stage) : stage
                // Of a fetch nothing but the rate is bounded, which is watched elsewhere.
                let seconds = current.isBounded ? now - current.start : current.stage == .fetch ? 0 : steps
                guard seconds > deadline + Self.patience else { return nil }
                return "a pass has been at \(current.stage.rawValue) for \(Int(seconds)) s"
            }
            // What a start finishes before its first pass is held to the same.
            let next = state.nextPass?.ticks ?? opened
            guard now > next + deadline + Self.patience else { return nil }
            return "the next pass is \(Int(now - next)) s late"
        }
    }

    /// Seconds for a machine that is busy.
    private static let patience = 30.0
}

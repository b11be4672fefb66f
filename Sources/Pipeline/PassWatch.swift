import Platform
import Logging
import Upstream

/// Ends a pass that takes too long, and tells of one that goes on.
///
/// A pass onto a site that stands has SIDEKICK_DEADLINE for all of it. The first one may have a large site to fetch and to make,
/// which takes as long as it takes: there the question to the remote has that time, and what comes must come at a least rate.
struct PassWatch: Sendable {
    let deadline: Duration
    /// Whether nothing is published yet.
    let isFirst: Bool
    let journal: Journal
    /// Of a repository on this machine nothing comes over a network, and nothing is watched.
    let traffic: Traffic
    let isLocal: Bool
    let logger: Logger
    /// Takes what is told of a pass that goes on.
    let tell: @Sendable (Journal.Running) -> Void

    /// Bytes a second, averaged over the deadline; what a server says about its work does not count.
    static let minRate = 1_000.0
    /// Between two looks at the first pass.
    private var interval: Duration { min(.seconds(1), deadline / 10) }
    /// After which, and between which, it is told that a pass goes on.
    private static let patience = Duration.seconds(60)

    /// - Throws: `SyncError` of the stage that was cut, and what the pass throws.
    func over(_ pass: @escaping @Sendable () async throws -> Pass.Outcome) async throws -> Pass.Outcome {
        try await withWatch(over: pass) {
            try await isFirst ? watchRate() : watchTime()
            return failure()
        }
    }

    private func failure() -> SyncError {
        let stage = journal.stage ?? .report
        let cause =
            isFirst && stage == .fetch
            ? "less than \(Int(Self.minRate)) bytes a second came over \(deadline.text)"
            : "the pass took longer than \(deadline.text)"
        return SyncError(
            stage: stage, cause: cause,
            remedy: "check the server and the network; raise SIDEKICK_DEADLINE if it needs that long",
            recovery: .retry, exitCode: .temporaryFailure)
    }

    private func watchTime() async throws {
        var rest = deadline
        while rest > .zero {
            let step = min(rest, Self.patience)
            try await Alarm.wait(step)
            rest -= step
            if rest > .zero { tellThatItGoesOn() }
        }
    }

    private func watchRate() async throws {
        var (stage, began, received, told) = (Stage.configure, monotonicSeconds(), 0, monotonicSeconds())
        while true {
            try await Alarm.wait(interval)
            let now = monotonicSeconds()
            if now - told >= Self.patience.inSeconds {
                tellThatItGoesOn()
                told = now
            }
            let current = journal.stage ?? .report
            if current != stage { (stage, began, received) = (current, now, traffic.useful) }
            guard now - began >= deadline.inSeconds else { continue }
            switch stage {
            case .configure, .discover, .trust: return
            case .fetch:
                guard isLocal || Double(traffic.useful - received) >= Self.minRate * (now - began) else { return }
                (began, received) = (now, traffic.useful)
            // Making a large site has no bound but the disk's; the journal's complaint tells of one that stands still.
            case .materialize, .gate, .publish, .report: continue
            }
        }
    }

    private func tellThatItGoesOn() {
        guard let running = journal.running else { return }
        logger.info(
            "pass goes on",
            metadata: [
                "stage": "\(running.stage.rawValue)", "since": "\(running.began)", "received": "\(traffic.useful)",
            ])
        // Of a site that stands the time of the file tells whether passes end.
        if isFirst { tell(running) }
    }
}

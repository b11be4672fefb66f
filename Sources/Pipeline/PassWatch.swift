import Platform
import Logging
import Upstream

/// Ends a pass that takes too long, and tells of one that goes on.
///
/// A pass onto a site that stands has SIDEKICK_DEADLINE for all of it. The first one may have a large site to fetch and to make,
/// which takes as long as it takes: there the question to the remote has that time, and what comes must come at a least rate.
struct PassWatch: Sendable {
    let deadline: Double
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
    /// Seconds between two looks at the first pass.
    private var interval: Double { min(1, deadline / 10) }
    /// Seconds after which, and between which, it is told that a pass goes on.
    private static let patience = 60.0

    /// - Throws: `SyncError` of the stage that was cut, and what the pass throws.
    func over(_ pass: @escaping @Sendable () async throws -> Pass.Outcome) async throws -> Pass.Outcome {
        try await withThrowingTaskGroup(of: Pass.Outcome?.self) { group in
            group.addTask { try await pass() }
            group.addTask {
                try await isFirst ? watchRate() : watchTime()
                return nil
            }
            defer { group.cancelAll() }
            if let outcome = try await group.next() ?? nil { return outcome }
            let error = failure()
            group.cancelAll()
            // What the pass was doing when its time was up is its own business; that it has ended is not.
            while let rest = await group.nextResult() {
                if case .success(let outcome?) = rest { return outcome }
            }
            throw error
        }
    }

    private func failure() -> SyncError {
        let stage = journal.stage ?? .report
        let cause =
            isFirst && stage == .fetch
            ? "less than \(Int(Self.minRate)) bytes a second came over \(deadline) s"
            : "the pass took longer than \(deadline) s"
        return SyncError(
            stage: stage, cause: cause,
            remedy: "check the server and the network; raise SIDEKICK_DEADLINE if it needs that long",
            recovery: .retry, exitCode: .temporaryFailure)
    }

    private func watchTime() async throws {
        var rest = deadline
        while rest > 0 {
            let step = min(rest, Self.patience)
            try await Alarm.wait(step)
            rest -= step
            if rest > 0 { tellThatItGoesOn() }
        }
    }

    private func watchRate() async throws {
        var (stage, began, received, told) = (Stage.configure, monotonicSeconds(), 0, monotonicSeconds())
        while true {
            try await Alarm.wait(interval)
            let now = monotonicSeconds()
            if now - told >= Self.patience {
                tellThatItGoesOn()
                told = now
            }
            let current = journal.stage ?? .report
            if current != stage { (stage, began, received) = (current, now, traffic.useful) }
            guard now - began >= deadline else { continue }
            switch stage {
            case .configure, .discover: return
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

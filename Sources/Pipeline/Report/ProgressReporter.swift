import Platform
import Git
import Logging
import Synchronization

/// Shows how far a long transfer is: one line that is drawn over on a terminal, one line every few seconds in a log.
final class ProgressReporter: Sendable {
    private struct State {
        var started = 0.0
        var shown = 0.0
        var isDrawn = false
    }

    private let logger: Logger
    private let terminal: Bool
    private let state = Mutex(State())

    /// Seconds between two lines of a log, and between two drawings.
    private static let logInterval = 5.0
    private static let drawInterval = 0.1

    init(logger: Logger, terminal: Bool) {
        self.logger = logger
        self.terminal = terminal
    }

    /// A callback for one transfer, which it ends at a bound.
    ///
    /// - Parameter bytes: the most that may be received.
    func reporting(upTo bytes: Int64) -> @Sendable (TransferProgress) throws -> Void {
        state.withLock { $0 = State(started: wallSeconds(), shown: wallSeconds()) }
        return { [self] progress in
            guard progress.receivedBytes <= bytes else {
                throw SyncError(
                    stage: .fetch, cause: "the remote sent more than \(bytes) bytes",
                    remedy: "raise SIDEKICK_MAX_PACK if the repository is meant to be that large", recovery: .fixRemote,
                    exitCode: .dataError)
            }
            show(progress)
        }
    }

    /// Ends the line that was drawn.
    func finish() {
        let wasDrawn = state.withLock { state in
            defer { state.isDrawn = false }
            return state.isDrawn
        }
        if wasDrawn { StandardError.write("\r\u{1B}[K") }
    }

    private func show(_ progress: TransferProgress) {
        let now = wallSeconds()
        let elapsed: Double? = state.withLock { state in
            guard now - state.shown >= (terminal ? Self.drawInterval : Self.logInterval) else { return nil }
            state.shown = now
            if terminal { state.isDrawn = true }
            return now - state.started
        }
        guard let elapsed, elapsed > 0 else { return }
        let rate = Int(Double(progress.receivedBytes) / elapsed)
        if terminal {
            let total = progress.totalObjects > 0 ? "/\(progress.totalObjects)" : ""
            let objects = "\(progress.receivedObjects)\(total) objects"
            StandardError.write(
                "\r\u{1B}[Kreceiving: \(objects), \(Self.text(progress.receivedBytes)), \(Self.text(rate))/s")
        } else {
            logger.info(
                "receiving",
                metadata: [
                    "objects": "\(progress.receivedObjects)", "total": "\(progress.totalObjects)",
                    "bytes": "\(progress.receivedBytes)", "rate": "\(rate)",
                ])
        }
    }

    private static func text(_ bytes: Int) -> String {
        bytes < 1_000_000 ? "\(bytes / 1000) kB" : "\(bytes / 1_000_000).\(bytes % 1_000_000 / 100_000) MB"
    }
}

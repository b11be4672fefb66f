import Synchronization

/// Why a pass begins before its time.
public enum Trigger: String, Sendable, Codable {
    /// SIGHUP.
    case signal
    /// A server said that something was pushed.
    case webhook
    /// A reference of a repository on this machine changed.
    case change
    /// `POST /sync`.
    case request
    /// `sidekick rollback` and its like.
    case order
}

/// Ends the pause between passes early. Rings before or during a pass are kept, and any number of them is one.
public final class Doorbell: Sendable {
    private enum State {
        case quiet
        case rung(Trigger)
        case waiting(CheckedContinuation<Trigger?, Never>)
        /// The time was up before the wait had begun.
        case expired
    }

    private let state = Mutex<State>(.quiet)

    /// A doorbell that nobody has rung.
    public init() {}

    /// Asks for a pass now.
    public func ring(_ trigger: Trigger) {
        let waiting: CheckedContinuation<Trigger?, Never>? = state.withLock { state in
            if case .waiting(let continuation) = state {
                state = .quiet
                return continuation
            }
            state = .rung(trigger)
            return nil
        }
        waiting?.resume(returning: trigger)
    }

    /// Waits until somebody rings or the time is up, whichever is first; returns early when the task is cancelled.
    ///
    /// - Parameter sleep: waits for the time that is meant; it throws when it is cancelled.
    /// - Returns: who rang; `nil` for nobody.
    func wait(orUntil sleep: @escaping @Sendable () async throws -> Void) async -> Trigger? {
        let trigger = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await sleep()
                self.expire()
            }
            let trigger = await withCheckedContinuation { self.register($0) }
            group.cancelAll()
            return trigger
        }
        // The sleeper has ended by now: its last word must not end the next wait.
        state.withLock { if case .expired = $0 { $0 = .quiet } }
        return trigger
    }

    private func register(_ continuation: CheckedContinuation<Trigger?, Never>) {
        let answer: Trigger?? = state.withLock { state in
            switch state {
            case .rung(let trigger):
                state = .quiet
                return .some(trigger)
            case .expired: return .some(nil)
            case .quiet, .waiting:
                state = .waiting(continuation)
                return nil
            }
        }
        if let answer { continuation.resume(returning: answer) }
    }

    private func expire() {
        let waiting: CheckedContinuation<Trigger?, Never>? = state.withLock { state in
            switch state {
            case .waiting(let continuation):
                state = .quiet
                return continuation
            case .quiet: state = .expired
            case .rung, .expired: break
            }
            return nil
        }
        waiting?.resume(returning: nil)
    }
}

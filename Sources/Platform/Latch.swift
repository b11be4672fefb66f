import Synchronization

/// Ends a wait from anywhere, with a value. One that is set before the wait is kept for it, and any number of them is one. There is one
/// waiter at a time.
public final class Latch<Value: Sendable>: Sendable {
    private enum State {
        case quiet
        case set(Value)
        case waiting(CheckedContinuation<Value?, Never>)
        /// The time was up before the wait had begun.
        case expired
    }

    private let state = Mutex<State>(.quiet)
    private let merge: @Sendable (_ old: Value, _ new: Value) -> Value

    /// One that nobody has set.
    ///
    /// - Parameter merge: what two values are that nobody waited for.
    public init(merging merge: @escaping @Sendable (_ old: Value, _ new: Value) -> Value = { $1 }) {
        self.merge = merge
    }

    /// Ends the wait, or the next one.
    public func set(_ value: Value) {
        let waiting: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .waiting(let continuation):
                state = .quiet
                return continuation
            case .set(let old): state = .set(merge(old, value))
            case .quiet, .expired: state = .set(value)
            }
            return nil
        }
        waiting?.resume(returning: value)
    }

    /// Waits until it is set or the time is up, whichever is first; returns early when the task is cancelled.
    ///
    /// - Parameter sleep: waits for the time that is meant; it throws when it is cancelled.
    /// - Returns: the value; `nil` when nobody has set it.
    public func wait(orUntil sleep: @escaping @Sendable () async throws -> Void) async -> Value? {
        let value = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await sleep()
                self.expire()
            }
            let value = await withCheckedContinuation { self.register($0) }
            group.cancelAll()
            return value
        }
        // The sleeper has ended by now: its last word must not end the next wait.
        state.withLock { if case .expired = $0 { $0 = .quiet } }
        return value
    }

    private func register(_ continuation: CheckedContinuation<Value?, Never>) {
        let answer: Value?? = state.withLock { state in
            switch state {
            case .set(let value):
                state = .quiet
                return .some(value)
            case .expired: return .some(nil)
            case .quiet, .waiting:
                state = .waiting(continuation)
                return nil
            }
        }
        if let answer { continuation.resume(returning: answer) }
    }

    private func expire() {
        let waiting: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .waiting(let continuation):
                state = .quiet
                return continuation
            case .quiet: state = .expired
            case .set, .expired: break
            }
            return nil
        }
        waiting?.resume(returning: nil)
    }
}

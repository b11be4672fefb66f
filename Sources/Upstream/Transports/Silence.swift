import Platform
import Synchronization

/// Ends a conversation in which the other side says nothing for too long: what blocks there can only be ended from outside.
final class Silence: Sendable {
    private struct State {
        var waitsSince: ContinuousClock.Instant?
        var hasEnded = false
    }

    private let limit: Duration
    private let state = Mutex(State())

    init(limit: Duration) { self.limit = limit }

    /// Whether it was too long.
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Waits for the other side.
    func waiting<Value>(_ work: () async throws -> Value) async throws -> Value {
        state.withLock { $0.waitsSince = .now }
        defer { state.withLock { $0.waitsSince = nil } }
        return try await work()
    }

    /// Runs work and watches over it.
    ///
    /// - Parameter end: makes what the work waits for fail.
    func watching<Value: Sendable>(
        _ work: () async throws -> Value, end: @escaping @Sendable () -> Void
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    let rest = self.state.withLock { state -> Duration in
                        guard let since = state.waitsSince else { return self.limit }
                        let rest = self.limit - (ContinuousClock.now - since)
                        if rest <= .zero { state.hasEnded = true }
                        return rest
                    }
                    guard rest > .zero else { return end() }
                    try await Alarm.wait(max(rest, .milliseconds(1)))
                }
            }
            defer { group.cancelAll() }
            return try await work()
        }
    }
}

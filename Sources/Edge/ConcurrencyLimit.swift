import Synchronization

/// So many at a time, so that no crowd fills the memory.
final class ConcurrencyLimit: Sendable {
    private let free: Mutex<Int>

    init(for count: Int) { free = Mutex(count) }

    func enter() -> Bool {
        free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    func leave() { free.withLock { $0 += 1 } }
}

/// So many at a time, of whom nobody knows yet whether they may come in. Whoever comes when all places are taken gets that of
/// the one that has been there longest: an honest one needs it for a moment.
final class Anteroom: Sendable {
    private struct State {
        var number = 0
        var inside: [(number: Int, end: @Sendable () -> Void)] = []
    }

    private let most: Int
    private let state = Mutex(State())

    init(for count: Int) { most = count }

    /// Does work, which is cancelled when its place is needed.
    func hosting<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await work() }
        let (number, oldest) = state.withLock { state -> (Int, (@Sendable () -> Void)?) in
            state.number += 1
            let oldest = state.inside.count >= most ? state.inside.removeFirst().end : nil
            state.inside.append((state.number, { task.cancel() }))
            return (state.number, oldest)
        }
        oldest?()
        defer { state.withLock { $0.inside.removeAll { $0.number == number } } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

/// Once a minute: whoever knocks does not write the log.
final class RateLimitedLog: Sendable {
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    func tell(_ work: () -> Void) {
        let isDue = last.withLock { last in
            if let last, ContinuousClock.now - last < .seconds(60) { return false }
            last = .now
            return true
        }
        if isDue { work() }
    }
}

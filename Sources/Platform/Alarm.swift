import Dispatch
import Synchronization

/// Waits for a time, as `Task.sleep` does, and leaves nothing behind when it is cancelled. `Task.sleep` leaves its timer, and
/// what it has of the task, until the time that was meant (Swift 6.3): with an hour's deadline on each pass that is a
/// kilobyte for every pass of the last hour.
public final class Alarm: Sendable {
    private struct State {
        var isOver = false
        var waiting: (continuation: CheckedContinuation<Void, any Error>, timer: any DispatchSourceTimer)?
    }

    private let state = Mutex(State())

    private init() {}

    /// Waits for so long.
    ///
    /// - Throws: `CancellationError`, at once, when the task is cancelled.
    public static func wait(_ time: Duration) async throws {
        let alarm = Alarm()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { alarm.start($0, time) }
        } onCancel: {
            alarm.end(.failure(CancellationError()))
        }
    }

    private func start(_ continuation: CheckedContinuation<Void, any Error>, _ time: Duration) {
        let isOver = state.withLock { state in
            guard !state.isOver else { return true }
            let timer = DispatchSource.makeTimerSource()
            timer.schedule(deadline: .now() + time.inSeconds)
            timer.setEventHandler { self.end(.success(())) }
            timer.activate()
            state.waiting = (continuation, timer)
            return false
        }
        if isOver { continuation.resume(throwing: CancellationError()) }
    }

    private func end(_ result: Result<Void, any Error>) {
        let continuation = state.withLock { state in
            state.isOver = true
            // Its handler holds this alarm until then.
            state.waiting?.timer.cancel()
            defer { state.waiting = nil }
            return state.waiting?.continuation
        }
        continuation?.resume(with: result)
    }
}

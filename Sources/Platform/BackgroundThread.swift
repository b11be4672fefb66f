import Glibc
import Synchronization

/// Work that may take a while and that nobody waits for: on a thread of its own, with the lowest priority, told to stop as
/// soon as its task is cancelled.
public enum BackgroundThread {
    /// - Parameter work: asks often whether to stop.
    public static func run<Value: Sendable>(
        _ work: @escaping @Sendable (_ isStopped: @escaping @Sendable () -> Bool) throws -> Value
    ) async throws -> Value {
        let stop = Stop()
        return try await withTaskCancellationHandler {
            try await OwnThread.call {
                // On Linux that is the thread's alone.
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
                return try work { stop.isSet }
            }
        } onCancel: {
            stop.set()
        }
    }

    private final class Stop: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }
}

import Dispatch
import Platform

/// The lane on which libgit2 and the disk work: one serial queue, so that a blocking call never holds a thread of the
/// cooperative pool, and `Task.isCancelled` is still the caller's inside a C callback.
///
/// Handles are opened, used and closed inside one `run`; only values leave it.
public actor GitExecutor {
    private final class Queue: SerialExecutor {
        private let queue: DispatchQueue

        init(label: String) { queue = DispatchQueue(label: label) }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { DiskThread.run { job.runSynchronously(on: self.asUnownedSerialExecutor()) } }
        }
    }

    private let queue: Queue

    /// - Parameter label: the queue's name in debuggers and profiles.
    public init(label: String = "sidekick.git") { queue = Queue(label: label) }

    /// The queue that everything of this actor runs on.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    /// Runs blocking work on the lane and hands back its value.
    public func run<Value: Sendable>(_ work: @Sendable () throws -> Value) throws -> Value {
        try Task.checkCancellation()
        return try work()
    }
}

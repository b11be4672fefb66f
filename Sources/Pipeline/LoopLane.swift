import Dispatch
import Platform

/// The thread that passes run on, what they write of themselves and what is done beside them: a volume that hangs holds up this
/// and nothing else.
final class LoopLane: TaskExecutor {
    /// There is one loop in a process.
    static let shared = LoopLane()

    private let queue = DispatchQueue(label: "sidekick.loop")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { DiskThread.run { job.runSynchronously(on: self.asUnownedTaskExecutor()) } }
    }

    /// Runs work of the network, which touches no disk by itself, on the threads of all: an answer comes in thousands of pieces,
    /// and each would cost two changes of the thread.
    static func leave<Value>(_ work: () async throws -> Value) async throws -> Value {
        try await withTaskExecutorPreference(globalConcurrentExecutor) { try await work() }
    }

    /// Runs work, and what it calls, on this thread.
    static func run<Value: Sendable>(_ work: @Sendable () async throws -> Value) async rethrows -> Value {
        try await withTaskExecutorPreference(shared) { try await work() }
    }
}

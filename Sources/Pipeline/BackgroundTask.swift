import Synchronization

/// One piece of work at a time that nobody waits for, and that makes way at once for something better to do.
final class BackgroundTask: Sendable {
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Begins the work, unless something is being done already.
    ///
    /// - Returns: whether it was begun.
    @discardableResult
    func start(_ work: @escaping @Sendable () async -> Void) -> Bool {
        task.withLock { running in
            guard running == nil else { return false }
            running = Task(executorPreference: LoopLane.shared) {
                await work()
                self.task.withLock { $0 = nil }
            }
            return true
        }
    }

    /// Ends it, and returns when it has ended.
    func stop() async {
        let running = task.withLock { $0 }
        running?.cancel()
        await running?.value
    }
}

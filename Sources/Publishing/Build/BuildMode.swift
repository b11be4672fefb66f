/// How a tree is made: for somebody who waits for it, or when there is nothing better to do.
struct BuildMode: Sendable {
    /// Whether more than one thread works at it.
    let usesThreads: Bool
    /// Asked between two steps: throws `CancellationError` when the rest is not to be done.
    let check: @Sendable () throws -> Void

    /// Until the pass is cancelled.
    static let pass = BuildMode(usesThreads: true) { try Task.checkCancellation() }

    /// On the thread that it is on, which need not be a task's.
    static func background(_ isStopped: @escaping @Sendable () -> Bool) -> BuildMode {
        BuildMode(usesThreads: false) { if isStopped() { throw CancellationError() } }
    }
}

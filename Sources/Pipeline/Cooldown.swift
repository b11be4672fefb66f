import Synchronization

/// A while in which something that failed is not tried again: what costs as much as a compaction must not be repeated at every
/// pass.
final class Cooldown: Sendable {
    private let length: Duration
    private let end = Mutex<ContinuousClock.Instant?>(nil)

    init(_ length: Duration) { self.length = length }

    var isOver: Bool { end.withLock { $0 }.map { ContinuousClock.now >= $0 } ?? true }

    func begin() { end.withLock { $0 = .now + length } }
}

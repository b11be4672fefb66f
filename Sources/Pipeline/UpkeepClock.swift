import Synchronization

/// When there is next something to clean up or to prepare: after a publish at once, else when it was announced. A pass that
/// finds nothing leaves nothing to do.
final class UpkeepClock: Sendable {
    private let due = Mutex<ContinuousClock.Instant?>(.now)

    /// In how long; `nil` for nothing to do.
    var next: Duration? {
        due.withLock { $0 }.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
    }

    /// Something changed.
    func ring() { due.withLock { $0 = .now } }

    /// It was done, and there is more after so long.
    func done(nextIn time: Duration?) { due.withLock { $0 = time.map { .now + $0 + .milliseconds(10) } } }
}

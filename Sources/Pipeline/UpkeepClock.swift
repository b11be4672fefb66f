import Synchronization

/// When there is next something to clean up or to prepare: after a publish at once, else when it was announced. A pass that
/// finds nothing leaves nothing to do.
final class UpkeepClock: Sendable {
    private let due = Mutex<ContinuousClock.Instant?>(.now)

    /// In how many seconds; `nil` for nothing to do.
    var next: Double? {
        due.withLock { $0 }.map { max(0, ContinuousClock.now.duration(to: $0) / .seconds(1)) }
    }

    /// Something changed.
    func ring() { due.withLock { $0 = .now } }

    /// It was done, and there is more in so many seconds.
    func done(nextIn seconds: Double?) { due.withLock { $0 = seconds.map { .now + .seconds($0 + 0.01) } } }
}

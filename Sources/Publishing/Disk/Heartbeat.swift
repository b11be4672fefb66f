import Glibc
import Synchronization

/// Shows that work goes on which may take as long as it needs: every step of it is a beat.
public final class Heartbeat: Sendable, Equatable {
    private let last = Atomic(0)

    /// One that has not beaten yet.
    public init() {}

    /// A step was made.
    public func beat() { last.store(Self.now(), ordering: .relaxed) }

    /// Seconds since the last step; `nil` when there was none.
    public var silence: Duration? {
        let last = last.load(ordering: .relaxed)
        return last == 0 ? nil : .nanoseconds(Self.now() - last)
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Who watches decides nothing about how trees are made.
    public static func == (left: Heartbeat, right: Heartbeat) -> Bool { true }
}

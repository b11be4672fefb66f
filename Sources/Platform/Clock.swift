import Glibc

extension Duration {
    /// With its fraction.
    public var inSeconds: Double { self / .seconds(1) }

    /// In seconds, without a fraction where there is none: `60 s`, `0.1 s`.
    public var text: String { (Int64(exactly: inSeconds).map { "\($0)" } ?? "\(inSeconds)") + " s" }
}

/// Seconds since 1970, as files have them.
public func wallSeconds() -> Double { seconds(of: CLOCK_REALTIME) }

/// Seconds of a clock that nobody sets.
public func monotonicSeconds() -> Double { seconds(of: CLOCK_MONOTONIC) }

private func seconds(of clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

import Glibc

/// Seconds since 1970, as files have them.
public func wallSeconds() -> Double { seconds(of: CLOCK_REALTIME) }

/// Seconds of a clock that nobody sets.
public func monotonicSeconds() -> Double { seconds(of: CLOCK_MONOTONIC) }

private func seconds(of clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

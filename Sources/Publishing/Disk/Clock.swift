import Glibc

/// Seconds since 1970, as files have them.
func wallClock() -> Double {
    var clock = timespec()
    clock_gettime(CLOCK_REALTIME, &clock)
    return Double(clock.tv_sec) + Double(clock.tv_nsec) / 1e9
}

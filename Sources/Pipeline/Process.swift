import Glibc

/// The uid of this process, for messages.
var currentUser: UInt32 { geteuid() }

/// Seconds since 1970.
func wallSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Where logs and progress go.
enum StandardError {
    /// One write(2), so that lines of several threads do not mix. A reader that is gone is no reason to stop.
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

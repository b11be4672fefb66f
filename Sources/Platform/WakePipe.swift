import Glibc

/// Ends a poll(2) from another thread: once signaled, its reading end is readable for ever.
public final class WakePipe: Sendable {
    /// What a poll(2) watches.
    public let reading: Int32
    private let writing: Int32

    /// - Throws: `SystemError` when there are no more descriptors.
    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError("make a pipe") }
        (reading, writing) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// From any thread, any number of times.
    public func signal() {
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }
}

import Glibc

/// How a wait ended.
public enum Wait {
    case ready, cancelled, late

    /// Waits until a descriptor has some of these events of poll(2), or the pipe was signaled.
    public static func forEvents(_ events: Int16, on descriptor: Int32, wake: WakePipe, atMost time: Duration) -> Wait {
        let end = monotonicSeconds() + time.inSeconds
        while true {
            var descriptors = [
                pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor, events: events, revents: 0),
            ]
            let left = end - monotonicSeconds()
            guard left > 0 else { return .late }
            let count = poll(&descriptors, 2, Int32(min(left * 1000 + 1, 86_400_000)))
            if count < 0 && errno != EINTR { return .ready }
            if count <= 0 { continue }
            return descriptors[0].revents != 0 ? .cancelled : .ready
        }
    }
}

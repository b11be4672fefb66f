import Glibc

/// How a wait ended.
enum Wait {
    case ready, cancelled, late

    static func forEvents(_ events: Int16, on descriptor: Int32, wake: WakePipe, seconds: Double) -> Wait {
        let end = monotonicSeconds() + seconds
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

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

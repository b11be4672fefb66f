import Synchronization

/// So many at a time, so that no crowd fills the memory.
final class Room: Sendable {
    private let free: Mutex<Int>

    init(for count: Int) { free = Mutex(count) }

    func enter() -> Bool {
        free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    func leave() { free.withLock { $0 += 1 } }
}

/// Once a minute: whoever knocks does not write the log.
final class Complaints: Sendable {
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    func tell(_ work: () -> Void) {
        let isDue = last.withLock { last in
            if let last, ContinuousClock.now - last < .seconds(60) { return false }
            last = .now
            return true
        }
        if isDue { work() }
    }
}

/// How long to wait before the next pass. Pure but for its dice, so that tests can throw their own.
struct Schedule: Sendable {
    /// Between passes that worked.
    let delay: Duration
    /// The longest pause after failures; never less than `delay`.
    let cap: Duration
    /// Replicas that started together must not stay together: every pause is up to so much shorter or longer.
    static let jitter = 0.1

    init(delay: Duration, cap: Duration) {
        self.delay = delay
        self.cap = max(delay, cap)
    }

    /// How long to wait after so many failures in a row.
    ///
    /// After a failure the pause is anything up to the delay doubled once for each failure (exponential backoff with full
    /// jitter), but at least half a second: a server that is down gets fewer requests, spread out.
    ///
    /// While nothing is published somebody waits: at first it is a second or less, then twice that, until that is more than the
    /// delay.
    ///
    /// - Parameters:
    ///   - isFirst: whether that was the first pass of this process. Replicas that were started in one moment go apart then,
    ///     all over DELAY.
    ///   - isServing: whether something is published.
    func pause(
        failures: Int, isFirst: Bool = false, isServing: Bool = true, using dice: inout some RandomNumberGenerator
    ) -> Duration {
        guard failures > 0 else {
            if isFirst { return delay * Double.random(in: 0.1...1, using: &dice) }
            return delay * Double.random(in: 1 - Self.jitter...1 + Self.jitter, using: &dice)
        }
        var failures = failures
        if !isServing {
            let quick = quickAttempts
            guard failures > quick else {
                return .seconds(1 << (failures - 1)) * Double.random(in: 0.5...1, using: &dice)
            }
            failures -= quick
        }
        let ceiling = min(cap, delay * (1 << min(failures, 30)))
        return max(min(.milliseconds(500), delay), ceiling * Double.random(in: 0...1, using: &dice))
    }

    /// How often 1, 2, 4, … seconds are less than the delay.
    private var quickAttempts: Int {
        var count = 0
        while count < 30, Duration.seconds(1 << count) < delay { count += 1 }
        return count
    }
}

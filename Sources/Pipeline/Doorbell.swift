import Git
import Platform

/// Why a pass begins before its time.
public enum Trigger: String, Sendable, Codable {
    /// SIGHUP.
    case signal
    /// A server said that something was pushed.
    case webhook
    /// A reference of a repository on this machine changed.
    case change
    /// `POST /sync`.
    case request
    /// `sidekick rollback` and its like.
    case order
}

/// What a trigger asks for.
struct Ring: Sendable {
    let trigger: Trigger
    /// What the remote should name by now, where that is known.
    var expected: ObjectID?
}

/// Ends the pause between passes early. Rings before or during a pass are kept, and any number of them is one.
public final class Doorbell: Sendable {
    // The newest push counts.
    private let latch = Latch<Ring> { Ring(trigger: $1.trigger, expected: $1.expected ?? $0.expected) }

    /// A doorbell that nobody has rung.
    public init() {}

    /// Asks for a pass now.
    ///
    /// - Parameter expected: the commit that the remote should name, all forty digits.
    public func ring(_ trigger: Trigger, expecting expected: String? = nil) {
        latch.set(Ring(trigger: trigger, expected: expected.flatMap { ObjectID(hex: $0) }))
    }

    /// Waits until somebody rings or the time is up; see `Latch`.
    func wait(orUntil sleep: @escaping @Sendable () async throws -> Void) async -> Ring? {
        await latch.wait(orUntil: sleep)
    }
}

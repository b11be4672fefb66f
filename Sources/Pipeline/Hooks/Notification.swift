import Publishing

/// What SIDEKICK_NOTIFY_URL is told, as JSON.
public struct Notification: Codable, Sendable, Equatable {
    /// What happened.
    public enum Event: String, Codable, Sendable { case published, failed, recovered }

    /// The version of this layout.
    public var schema = 1
    /// What happened.
    public var event: Event
    /// One sentence for people; chat systems show this member.
    public var text: String
    /// When it happened, RFC 3339, UTC.
    public var time: String
    /// The name of the machine, or of the Pod.
    public var host: String
    /// Without user and password.
    public var repository: String
    /// The full name of the reference that named what is served; empty when an operator holds it, and for nothing.
    public var ref: String
    /// Absolute.
    public var destination: String
    /// What is served.
    public var published: Status.Tree?
    /// The commit that the receiver was told of before this one.
    public var previous: String?
    /// Why passes fail.
    public var failure: Status.Failure?
}

/// Takes notifications to where they belong.
public protocol Notifier: Sendable {
    /// - Parameter id: the same whenever the same is told again.
    /// - Throws: `HookFailure`, `CancellationError`.
    func send(_ notification: Notification, id: String) async throws
}

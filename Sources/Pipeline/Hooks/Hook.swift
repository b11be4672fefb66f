/// What sidekick tells others by: each is a setting, and off without it.
public enum Hook: String, Sendable, CaseIterable {
    /// SIDEKICK_BEFORE_PUBLISH: may refuse what is about to be published.
    case beforePublish = "before_publish"
    /// SIDEKICK_ON_PUBLISH: a command.
    case onPublish = "on_publish"
    /// SIDEKICK_NOTIFY_URL: a request.
    case notify
    /// SIDEKICK_TOUCH_FILE: the time of a file.
    case touch

    /// How a run ended, as it is counted.
    public enum Result: String, Sendable, CaseIterable {
        case succeeded, failed
        case timedOut = "timed_out"
    }

    /// The setting that asks for it.
    var setting: Setting {
        switch self {
        case .beforePublish: .beforePublish
        case .onPublish: .onPublish
        case .notify: .notifyURL
        case .touch: .touchFile
        }
    }
}

/// A hook that did not do what it was run for.
public struct HookFailure: Error, Sendable {
    /// How it is counted.
    public let result: Hook.Result
    /// Why, after the name of the setting: "ended with status 1".
    public let cause: String
    /// What has to happen before it can work.
    let recovery: SyncError.Recovery
    /// How many seconds the other side asked to be left alone.
    public let retryAfter: Duration?

    /// Makes one.
    ///
    /// - Parameter recovery: what has to happen before it can work; the hook decided, and would again.
    public init(
        _ cause: String, result: Hook.Result = .failed, recovery: SyncError.Recovery = .fixRemote,
        retryAfter: Duration? = nil
    ) {
        self.cause = cause
        self.recovery = recovery
        self.result = result
        self.retryAfter = retryAfter
    }
}

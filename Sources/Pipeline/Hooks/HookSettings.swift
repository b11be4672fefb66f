public import Upstream

/// Whom to ask before a publish, and whom to tell after it.
public struct HookSettings: Sendable, Equatable {
    /// Where a notification goes, and what signs it.
    public struct Receiver: Sendable, Equatable {
        /// SIDEKICK_NOTIFY_URL: whoever knows it can write there, so it is a secret.
        public var url: CredentialSource.Place
        /// SIDEKICK_NOTIFY_SECRET; `nil` for no signature.
        public var secret: CredentialSource.Place?
    }

    /// A command that may refuse what is about to be published.
    public var beforePublish: HookCommand?
    /// A command that is run after it was.
    public var onPublish: HookCommand?
    /// Who gets a request for each publish, failure and recovery.
    public var receiver: Receiver?
    /// A file that gets the time of each publish.
    public var touchFile: String?
    /// The longest that one run may take, in seconds.
    public var timeout: Double
    /// PATH of commands.
    public var searchPath: String
    /// HOME of commands.
    public var home: String?
}

import Platform
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
    public var timeout: Duration
    /// PATH of commands.
    public var searchPath: String
    /// HOME of commands.
    public var home: String?
    /// What else of this process's environment commands are given (SIDEKICK_HOOK_ENVIRONMENT).
    public var environment: [String: String] = [:]

    /// What a command's environment has by itself.
    static let madeVariables: Set = [
        "PATH", "HOME", "PUBLISHED_COMMIT", "PREVIOUS_COMMIT", "PUBLISHED_REF", "PUBLISHED_PATH", "CHANGED_PATHS_FILE",
    ]

    static let acceptedNames =
        "names of variables with commas between, none that begins with SIDEKICK_ or that a command has by itself"

    /// The names in a list; `nil` when one is none that may be handed on.
    static func names(_ text: String) -> [String]? {
        let names = text.utf8.split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") }.map { String(Substring($0)) }
        let areNames = names.allSatisfy { name in
            name.utf8.first.map { !$0.isDigit } == true
                && name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || $0.isDigit || $0.isLetter }
                && !name.hasPrefix(SettingNames.prefix) && !madeVariables.contains(name)
        }
        return areNames ? names : nil
    }
}

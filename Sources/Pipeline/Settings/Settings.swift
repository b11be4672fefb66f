public import Publishing
public import Upstream

/// Everything that a run is configured by, validated: nothing later asks the environment.
public struct Settings: Sendable, Equatable {
    /// DESTINATION as it was given.
    public var destination: String
    /// SIDEKICK_STATE as it was given.
    public var state: String?
    /// Between passes.
    public var delay: Duration
    /// The longest pause after failures.
    public var backoff: Duration
    /// The longest that a pass may take.
    public var deadline: Duration
    /// Commits of history; 0 is all.
    public var depth: Int
    /// Whether a rewritten history is refused.
    public var fastForwardOnly: Bool
    /// The most bytes that one fetch may receive.
    public var maxPack: Int64
    /// Where the remote is and what of it is followed.
    public var upstream: UpstreamOptions
    /// Whose commits are published; `nil` for everybody's who may push.
    public var trust: TrustSettings?
    /// How trees are made and shown.
    public var publishing: PublishingOptions
    /// Where to listen, and who may ask for a pass there; `nil` for nowhere.
    public var edge: EdgeSettings?
    /// Whom to ask before a publish, and whom to tell after it.
    public var hooks: HookSettings
    /// Where a monitor hears that passes succeed; `nil` for nowhere.
    public var heartbeat: CredentialSource.Place?
    /// How log lines are written.
    public var logFormat: LogFormat
    /// The least important line that is written: a level of swift-log.
    public var logLevel: String
}

/// How log lines are written.
public enum LogFormat: String, Sendable { case text, json }

/// Every bad setting of one run, in the words that a user needs.
public struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence each: the setting, the value, and what would be accepted.
    public let problems: [String]

    /// One problem a line.
    public var description: String { problems.joined(separator: "\n") }
}

extension Settings {
    /// Reads settings from flags and, where there is none, from the environment.
    ///
    /// - Parameters:
    ///   - flags: values by the name of the environment variable; they win.
    ///   - environment: all variables of the process.
    /// - Returns: the settings, and what a person should be warned of.
    /// - Throws: `SettingsError` with every problem that was found.
    public static func parse(
        flags: [String: String], environment: [String: String], odd: [String: [UInt8]] = [:]
    ) throws(SettingsError) -> (settings: Settings, warnings: [String]) {
        var reader = SettingsReader(flags: flags, environment: environment, odd: odd)
        let settings = reader.settings()
        guard reader.problems.isEmpty, let settings else { throw SettingsError(problems: reader.problems) }
        return (settings, reader.warnings)
    }

    /// Where a run with these flags and this environment would publish: for commands that only look.
    ///
    /// - Throws: `SettingsError`.
    public static func location(
        flags: [String: String], environment: [String: String]
    ) throws(SettingsError) -> (destination: String, state: String?) {
        var reader = SettingsReader(flags: flags, environment: environment, only: [.destination, .state])
        let destination = reader.required(.destination)
        let state = reader.text(.state)
        guard let destination, reader.problems.isEmpty else { throw SettingsError(problems: reader.problems) }
        return (destination, state)
    }
}

import Platform

/// One thing that `sidekick check` has looked at.
public struct CheckItem: Sendable, Equatable, Encodable {
    /// What came of it.
    public enum Verdict: String, Sendable, Encodable {
        case ok, failed
        /// Only a pass can tell, or what comes before has failed.
        case unknown
    }

    /// What was looked at, in a word or two.
    public var name: String
    /// What came of it.
    public var verdict: Verdict
    /// What was found, in one sentence or less.
    public var found: String
    /// What a person can do; `nil` where there is nothing to do.
    public var remedy: String?
    /// What a single pass would end with.
    public var exitStatus: ExitStatus?

    /// What is wrong with settings that cannot be read.
    public static func items(_ error: SettingsError) -> [CheckItem] {
        error.problems.map { CheckItem(name: "settings", verdict: .failed, found: $0, exitStatus: .usage) }
    }

    /// What a plan failed at.
    public static func plan(failed error: any Error) -> CheckItem {
        .failed("plan", SyncError(error, at: .fetch))
    }

    static func ok(_ name: String, _ found: String) -> CheckItem {
        CheckItem(name: name, verdict: .ok, found: found.printable())
    }

    static func unknown(_ name: String, _ why: String) -> CheckItem {
        CheckItem(name: name, verdict: .unknown, found: why.printable())
    }

    static func failed(_ name: String, _ error: SyncError) -> CheckItem {
        CheckItem(
            name: name, verdict: .failed, found: error.cause, remedy: error.remedy, exitStatus: error.exitCode)
    }
}

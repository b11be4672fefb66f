import Publishing

/// What `sidekick verify` says.
public struct VerifyReport: Sendable {
    /// One line for each path that differs.
    public let differences: [String]
    /// One line for each place that could not be looked into, and that nobody published.
    public let unreadable: [String]
    /// One sentence.
    public let summary: String

    /// Compares every byte of what is visible at a DESTINATION with its commit, whoever owns it.
    ///
    /// - Parameter state: SIDEKICK_STATE, as it was given.
    /// - Throws: `SyncError`.
    public static func read(destination: String, state: String?) throws -> VerifyReport {
        do {
            let verdict = try Destination(destination, state: state).verify()
            return VerifyReport(
                differences: verdict.differences, unreadable: verdict.unreadable, summary: verdict.summary)
        } catch {
            throw SyncError(error, at: .report)
        }
    }
}

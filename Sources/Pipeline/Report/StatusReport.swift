import Platform
import FoundationEssentials
import Git
import Glibc
import Publishing

/// What `sidekick status` and `sidekick health` say: read from the state folder, so that they need no port.
public struct StatusReport: Sendable {
    /// As it was written.
    public let status: Status
    /// When the last pass ended, in seconds since 1970.
    public let lastPass: Double
    /// When a process last took possession of DESTINATION, in seconds since 1970.
    public let started: Double
    /// Whether a process holds DESTINATION.
    public let isRunning: Bool
    /// The file's text.
    public let json: String

    /// Reads the state of a DESTINATION; `nil` when none was ever written.
    ///
    /// - Parameter state: SIDEKICK_STATE, as it was given.
    public static func read(destination: String, state: String?) throws -> (report: StatusReport?, isRunning: Bool) {
        let destination = try Destination(destination, state: state)
        return (try read(destination), try destination.isOwned)
    }

    static func read(_ destination: Destination) throws -> StatusReport? {
        let isRunning = try destination.isOwned
        var file = stat()
        guard stat(destination.statusFile, &file) == 0,
            let data = try? Data(contentsOf: URL(filePath: destination.statusFile)),
            let status = try? JSONDecoder().decode(Status.self, from: data)
        else { return nil }
        // A process that has just started has not ended a pass, but has just written its lock.
        var lock = stat()
        let started = stat(destination.lockFile, &lock) == 0 ? lock.st_mtim.tv_sec : 0
        return StatusReport(
            status: status, lastPass: Double(file.st_mtim.tv_sec), started: Double(started), isRunning: isRunning,
            json: String(decoding: data, as: UTF8.self))
    }

    /// When a pass last ended without a failure, in seconds since 1970; `nil` for never.
    public var lastSuccess: Double? {
        guard let failure = status.failure else { return lastPass }
        return failure.lastSuccess.flatMap { seconds(of: $0) }
    }

    /// Why the loop cannot be said to run; `nil` when it can. A dead remote is no reason.
    public func complaint(now: Double) -> String? {
        guard isRunning else { return "no sidekick is running on \(status.destination)" }
        let age = now - max(lastPass, started)
        guard let freshFor = status.freshFor, age > freshFor else { return nil }
        return "no pass has ended for \(Int(age)) s, more than the \(Int(freshFor)) s that it may take"
    }

    /// Why what is served cannot be said to be new enough; `nil` when it can, and when nobody asks.
    ///
    /// - Parameter limit: since a pass last succeeded.
    public func complaint(maxAge limit: Duration?) -> String? {
        guard let limit else { return nil }
        guard let lastSuccess else { return "no pass has succeeded yet" }
        let age = wallSeconds() - lastSuccess
        return age > limit.inSeconds ? "the last pass that succeeded ended \(Int(age)) s ago" : nil
    }

    /// Why the loop cannot be said to run, at this moment.
    public var complaint: String? { complaint(now: wallSeconds()) }
}

import Publishing
import Platform

/// A commit that an operator wants to see published, whatever the remote says: until it is lifted, or until another
/// reference is followed. A file in the state folder, so that it outlives the process.
public struct Hold: Codable, Sendable, Equatable {
    /// All forty digits.
    public var commit: String
    /// SIDEKICK_REF when it began.
    public var ref: String
    /// RFC 3339, UTC.
    public var since: String
}

/// Where the hold of a DESTINATION is.
struct HoldFile: Sendable {
    private let file: StateFile<Hold>

    init(_ destination: Destination) {
        file = StateFile(destination.stateFolder + "/hold.json", mode: 0o644, isDurable: true)
    }

    /// `nil` when nothing is held.
    ///
    /// - Throws: `SyncError` for a file that cannot be read: what to publish is not known then, and nothing is.
    func read() throws -> Hold? {
        do {
            return try file.read()
        } catch {
            throw SyncError(
                stage: .discover, cause: "the hold \(file.path) cannot be read", remedy: "run `sidekick resume`",
                recovery: .fixConfiguration, exitCode: .ioError)
        }
    }

    func write(_ hold: Hold) throws {
        do {
            try file.write(hold)
        } catch {
            throw SyncError(
                stage: .report, cause: "the hold cannot be written: \(String(describing: error).printable())",
                remedy: "check the disk and the mount", recovery: .retry, exitCode: .ioError)
        }
    }

    /// - Returns: whether there was one.
    @discardableResult
    func remove() -> Bool { file.remove() }
}

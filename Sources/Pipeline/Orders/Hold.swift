import FoundationEssentials
import Git
import Glibc
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
    let path: String

    init(_ destination: Destination) { path = destination.state + "/hold.json" }

    /// `nil` when nothing is held.
    ///
    /// - Throws: `SyncError` for a file that cannot be read: what to publish is not known then, and nothing is.
    func read() throws -> Hold? {
        DiskThread.check()
        guard access(path, F_OK) == 0 else { return nil }
        do {
            return try JSONDecoder().decode(Hold.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw SyncError(
                stage: .discover, cause: "the hold \(path) cannot be read", remedy: "run `sidekick resume`",
                recovery: .fixConfiguration, exitCode: .ioError)
        }
    }

    func write(_ hold: Hold) throws {
        do {
            try JSONEncoder().encode(hold).write(to: URL(filePath: path), options: .atomic)
            chmod(path, 0o644)
        } catch {
            throw SyncError(
                stage: .report, cause: "the hold \(path) cannot be written: \(String(describing: error).printable())",
                remedy: "check the disk and the mount", recovery: .retry, exitCode: .ioError)
        }
    }

    /// - Returns: whether there was one.
    @discardableResult
    func remove() -> Bool { unlink(path) == 0 }
}

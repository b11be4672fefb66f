import Foundation

/// A real `git daemon` on loopback.
public final class GitDaemon: Sendable {
    /// Where it listens.
    public let port: UInt16
    private let process: ChildProcess

    /// Serves the repositories of a folder.
    public init(repositoriesIn folder: String) async throws {
        let port = try freePort()
        self.port = port
        process = try ChildProcess(
            [
                "git", "-c", "safe.directory=*", "daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1",
                "--port=\(port)", "--base-path=\(folder)", folder,
            ], environment: GitRepository.environment())
        try await eventually("git daemon listens") { (try? connected(to: port)).map { close($0) } != nil }
    }

    deinit { process.kill() }
}

import Foundation
import TestSupport
import Testing

@Suite struct `SIDEKICK_MAX_PACK` {
    enum Door: String, CaseIterable, Sendable { case http, oldHTTP, git, ssh, local }

    private struct Remote {
        let url: String
        let environment: [String: String]
        private let server: Any?

        init(_ door: Door, _ source: GitRepository) async throws {
            var (environment, server): ([String: String], Any?) = ([:], nil)
            switch door {
            case .http, .oldHTTP:
                let remote = try await HTTPRemote(["index.html": "one"], version2: door == .http)
                try source.git("push", "-qf", remote.bare, "HEAD:refs/heads/main")
                (url, server) = (remote.url(), remote)
            case .git:
                let daemon = try await GitDaemon(repositoriesIn: source.path)
                (url, server) = ("git://127.0.0.1:\(daemon.port)/.git", daemon)
            case .ssh:
                let sshd = try await SSHServer()
                url = "ssh://\(NSUserName())@127.0.0.1:\(sshd.port)\(source.path)/.git"
                environment = [
                    "SIDEKICK_SSH_KEY": try sshd.folder.read("user_ed25519"),
                    "SIDEKICK_SSH_KNOWN_HOSTS": try sshd.knownHost(),
                ]
                server = sshd
            case .local: url = source.path
            }
            (self.environment, self.server) = (environment, server)
        }
    }

    @Test(arguments: Door.allCases)
    func `ends a fetch that is larger, names itself, and keeps the old tree; larger, it lets the fetch in`(door: Door)
        async throws
    {
        let source = try GitRepository()
        var numbers = SeededNumbers(seed: SeededNumbers.seed)
        let noise = (0..<250_000).map { _ in String(numbers.next(), radix: 36) }.joined()
        try source.commit(["index.html": "one", "noise": noise])
        let remote = try await Remote(door, source)
        let folder = try TemporaryFolder()
        func pass(_ size: String) async throws -> (status: Int32, log: String) {
            let result = try await Sidekick.once(
                [remote.url, folder("www"), "--max-pack", size], environment: remote.environment)
            return (result.status, result.log)
        }
        let refused = try await pass("1MB")
        #expect(refused.status == 65, "\(refused.log)")
        #expect(refused.log.contains("more than 1000000 bytes"), "\(refused.log)")
        #expect(refused.log.contains("raise SIDEKICK_MAX_PACK"), "\(refused.log)")
        #expect(!folder.has("www"))
        let taken = try await pass("20MB")
        #expect(taken.status == 0, "\(taken.log)")
        #expect(try folder.read("www/noise") == noise)
    }
}

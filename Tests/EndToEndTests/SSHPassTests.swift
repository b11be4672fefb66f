import Foundation
import TestSupport
import Testing

@Suite struct `A repository over ssh` {
    private let server: SSHServer
    private let source: GitRepository
    private let folder: TemporaryFolder

    init() async throws {
        server = try await SSHServer()
        source = try GitRepository()
        folder = try TemporaryFolder()
    }

    private func environment() throws -> [String: String] {
        ["SIDEKICK_SSH_KEY_FILE": server.folder("user_ed25519"), "SIDEKICK_SSH_KNOWN_HOSTS": try server.knownHost()]
    }

    @Test func `is followed, and what it says of a refusal is told`() async throws {
        try source.commit(["index.html": "one"])
        let url = server.url(source.path + "/.git")
        let sidekick = try Sidekick(
            [url, folder("www"), "--delay", "200ms", "--backoff", "200ms"], environment: environment())
        try await sidekick.prints("published")
        let commit = try source.commit(["index.html": "two"])
        try await eventually("the commit shows") { try folder.read("www/index.html") == "two" }
        #expect(try differences(folder("www/"), from: source.path, commit) == [])
        try server.folder.write("", to: "authorized_keys")
        try await sidekick.prints("refused the ssh login")
        #expect(sidekick.log.contains("Permission denied"))
        #expect(try await sidekick.stop() == 0)
        let key = try server.folder.read("user_ed25519").split(separator: "\n")[1]
        #expect(!sidekick.log.contains(key))
        #expect(SecretHunt([String(key)]).files(in: folder.path) == [])

        let unknown = try await Sidekick.once(
            [url, folder("www")], environment: ["SIDEKICK_SSH_KEY_FILE": server.folder("user_ed25519")])
        #expect(unknown.status == 69 && unknown.log.contains("SHA256:"), "\(unknown.log)")
        #expect(unknown.log.contains("SIDEKICK_SSH_KNOWN_HOSTS: [127.0.0.1]:\(server.port) "))
    }

    @Test(.enabled(if: geteuid() == 0, "another user needs root"))
    func `any uid will do, without a home, without an entry in passwd, and with a key that others may read`()
        async throws
    {
        let commit = try source.commit(["index.html": "one"])
        try Command.run(["cp", Sidekick.binary, folder("sidekick")])
        for name in ["", "sidekick"] { chmod(folder(name), 0o755) }
        chmod(server.folder.path, 0o755)
        chmod(server.folder("user_ed25519"), 0o444)
        try FileManager.default.createDirectory(atPath: folder("open"), withIntermediateDirectories: true)
        chown(folder("open"), 54_321, 0)
        var all = try environment()
        all["PATH"] = "/usr/bin:/bin"
        let result = try Command.run(
            [
                "setpriv", "--reuid=54321", "--regid=0", "--clear-groups", "--", folder("sidekick"),
                server.url(source.path + "/.git"), folder("open/www"), "--once",
            ], environment: all, mayFail: true)
        #expect(result.status == 0, "\(result.error)")
        #expect(try differences(folder("open/www/"), from: source.path, commit) == [])
    }
}

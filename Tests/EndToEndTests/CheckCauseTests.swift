import Foundation
import TestSupport
import Testing

/// `check` before there is a pass, and the pass.
@Suite struct `What check says of a failure` {
    /// The same arguments, to both.
    ///
    /// - Parameter name: what was looked at that fails.
    private func same(
        _ name: String, _ arguments: [String], _ environment: [String: String] = [:], plan: Bool = true,
        status: Int32
    ) async throws {
        let folder = try TemporaryFolder()
        let all = arguments + ["--destination", folder("www")]
        let check = try Sidekick.check(all + (plan ? ["--plan"] : []), environment: environment)
        let once = try await Sidekick.once(all, environment: environment)
        let cause = Sidekick.cause(once.log)
        #expect(once.status == status, "\(name): \(once.log)")
        #expect(check.status == status && check.failures == [name: cause], "\(cause)\n\(check.text)")
        // With what the pass has left, it says no other, and --plan the same.
        let after = try Sidekick.check(all, environment: environment)
        #expect(after.failures.values.allSatisfy { $0 == cause }, "\(cause)\n\(after.text)")
        let again = try Sidekick.check(all + ["--plan"], environment: environment)
        #expect(again.status == status && Array(again.failures.values) == [cause], "\(cause)\n\(again.text)")
    }

    @Test func `of a commit is what the pass says`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one", "large": String(repeating: "x", count: 5_000), "d/a": "1"])
        symlink("/etc/passwd", source.folder("out"))
        try source.commit(["d/b": "2"])
        let path = source.path
        try await same("plan", [path, "--max-files", "2"], status: 65)
        try await same("plan", [path, "--max-size", "1KB"], status: 65)
        try await same("plan", [path, "--max-blob", "1KB"], status: 65)
        try await same("plan", [path, "--symlinks", "refuse"], status: 65)
        try await same("plan", [path, "--subdirectory", "nowhere"], status: 65)
        try await same("plan", [path, "--subdirectory", "index.html"], status: 65)
        try await same("plan", [path, "--subdirectory", "out"], status: 65)
        try await same("SIDEKICK_REF", [path, "--ref", "nope"], plan: false, status: 65)
    }

    @Test func `of what a commit names is what the pass says`() async throws {
        let (source, bare) = (try GitRepository(), try TemporaryFolder())
        try source.commit(modules: [("gone", "../gone.git", String(repeating: "12", count: 20))], ["index.html": "one"])
        try source.pushBare(to: bare, as: "site.git")
        let server = try await Nginx(gitRepositoriesIn: bare.path)
        let url = "http://127.0.0.1:\(server.port)/site.git"
        try await same("plan", [url, "--submodules", "on"], status: 69)
        let pictures = try GitRepository()
        try pictures.commit(["p.png": try lfsPointer(to: Data("picture".utf8)).text])
        try pictures.pushBare(to: bare, as: "pictures.git")
        let address = "http://127.0.0.1:\(server.port)/pictures.git"
        let silent = try HTTPTrap { _ in nil }
        let refusing = try HTTPTrap { _ in "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" }
        for trap in [silent, refusing] {
            try await same(
                "plan", [address, "--lfs", "on", "--lfs-url", "http://127.0.0.1:\(trap.port)/", "--timeout", "1s"],
                status: trap === silent ? 69 : 77)
        }
    }

    @Test func `over ssh is what the pass says, and all is well where it should be`() async throws {
        let server = try await SSHServer()
        let source = try GitRepository()
        let commit = try source.commit(["index.html": "one"])
        let url = server.url(source.path + "/.git")
        let key = ["SIDEKICK_SSH_KEY_FILE": server.folder("user_ed25519")]
        let host = try ["SIDEKICK_SSH_KNOWN_HOSTS": server.knownHost()]
        let good = try Sidekick.check([url, "/nonexistent/www"], environment: key.merging(host) { $1 })
        #expect(
            good.failures["SIDEKICK_REF"] == nil && good.text.contains("refs/heads/main is \(commit)"), "\(good.text)")
        try await same("connection", [url], key, status: 69)
        let other = try server.folder.read("other_ed25519.pub").split(separator: " ").prefix(2).joined(separator: " ")
        try await same(
            "connection", [url],
            key.merging(["SIDEKICK_SSH_KNOWN_HOSTS": "[127.0.0.1]:\(server.port) \(other)"]) { $1 }, status: 69)
        try await same(
            "login", [url], host.merging(["SIDEKICK_SSH_KEY_FILE": server.folder("other_ed25519")]) { $1 }, status: 77)
        try await same(
            "login", [url], host.merging(["SIDEKICK_SSH_KEY_FILE": server.folder("nothing")]) { $1 }, status: 69)
        try await same("repository", [server.url("/nowhere.git")], key.merging(host) { $1 }, status: 69)
    }

    @Test func `over https is what the pass says`() async throws {
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        try source.commit(["index.html": "one"])
        try source.pushBare(to: folder, as: "site.git")
        let certificate = try folder.certificate("localhost", for: "DNS:localhost")
        let server = try await Nginx(gitRepositoriesIn: folder.path, certificate: certificate)
        try await same("connection", ["https://localhost:\(server.port)/site.git"], status: 69)
        let trusting = ["SIDEKICK_CA_FILE": folder("localhost.crt")]
        try await same("connection", ["https://127.0.0.1:\(server.port)/site.git"], trusting, status: 69)
        let good = try Sidekick.check(
            ["https://localhost:\(server.port)/site.git", folder("www"), "--plan"], environment: trusting)
        #expect(good.status == 0, "\(good.text)")
    }

    @Test func `as a GitHub App is what the pass says, and the token is asked for and used`() async throws {
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        try source.commit(["index.html": "one"])
        try source.pushBare(to: folder, as: "site.git")
        try Command.run(["openssl", "genrsa", "-out", folder("app.pem"), "2048"])
        let token = "ghs_s3cr3t"
        let server = try await Nginx(gitRepositoriesIn: folder.path, login: (user: "x-access-token", password: token))
        let body = #"{"token":"\#(token)","expires_at":"2099-01-01T00:00:00Z"}"#
        let api = try HTTPTrap { _ in
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                + body
        }
        let refusing = try HTTPTrap { _ in "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n" }
        let url = "http://127.0.0.1:\(server.port)/site.git"
        func app(_ trap: HTTPTrap, key: String = "app.pem") -> [String: String] {
            [
                "SIDEKICK_GITHUB_APP_ID": "1", "SIDEKICK_GITHUB_INSTALLATION_ID": "42",
                "SIDEKICK_GITHUB_PRIVATE_KEY_FILE": folder(key),
                "SIDEKICK_GITHUB_API_URL": "http://127.0.0.1:\(trap.port)",
            ]
        }
        let good = try Sidekick.check([url, folder("www")], environment: app(api))
        #expect(good.status == 0 && !good.text.contains(token), "\(good.text)")
        #expect(api.requests.first?.hasPrefix("POST /app/installations/42/access_tokens ") == true)
        try await same("login", [url], app(refusing), status: 77)
        try folder.write("no key", to: "none.pem")
        try await same("login", [url], app(api, key: "none.pem"), status: 69)
    }
}

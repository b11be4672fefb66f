import Platform
import Foundation
import Git
import TestSupport
import Testing

@testable import Upstream

@Suite struct `Private keys as people have them` {
    /// With a sshd, where one is asked; nobody listens at the address of the others.
    private func discover(
        _ key: CredentialSource.Place?, keys: String? = nil, at remote: Remote? = nil
    ) async throws -> String {
        let ssh = SSHOptions(
            key: key, keys: keys, knownHosts: .value(Secret(try remote?.server.knownHost() ?? "host ssh-ed25519 AAAA")))
        let options = UpstreamOptions(
            url: try RemoteURL(remote?.url ?? "ssh://127.0.0.1:1/site.git"), ssh: ssh, timeout: patience)
        return try await options.makeUpstream(on: GitExecutor()).discover().commit.description
    }

    private struct Remote {
        let server: SSHServer
        let source: GitRepository
        var url: String { server.url(source.path + "/.git") }
        var head: String { get throws { try source.head } }

        init() async throws {
            server = try await SSHServer()
            source = try GitRepository()
            try source.commit(["index.html": "1"])
        }
    }

    private func refusal(_ key: CredentialSource.Place, at remote: Remote? = nil) async -> UpstreamError? {
        do {
            _ = try await discover(key, at: remote)
            return nil
        } catch {
            return error as? UpstreamError
        }
    }

    private static let forms: [(name: String, change: @Sendable (String) -> String)] = [
        ("as it is", { $0 }), ("without its last LF", { String($0.dropLast()) }),
        ("with CRLF", { $0.replacingOccurrences(of: "\n", with: "\r\n") }),
        ("with blank lines around it", { "\n \n" + $0 + "\n\n" }),
        ("with backslash n", { $0.replacingOccurrences(of: "\n", with: "\\n") }),
        ("in one line", { $0.replacingOccurrences(of: "\n", with: " ") }),
        ("indented", { $0.replacingOccurrences(of: "\n", with: "\n    ") }),
        ("with a byte order mark", { "\u{FEFF}" + $0 }),
        ("in quotes", { "\"" + $0.replacingOccurrences(of: "\n", with: "\\n") + "\"" }),
    ]

    @Test func `are one key, however they were copied`() throws {
        let folder = try TemporaryFolder()
        for kind in [["-t", "ed25519"], ["-t", "rsa", "-m", "PEM"], ["-t", "ecdsa", "-m", "PKCS8"]] {
            try Command.run(["ssh-keygen", "-q"] + kind + ["-N", "", "-f", folder(kind[1])])
            let text = try folder.read(kind[1])
            for (name, change) in Self.forms {
                // Blanks in place of ends of lines are known in a key of one type of line alone.
                #expect(try SSHKey(Secret(change(text)), from: "x").text == Array(text.utf8), "\(kind[1]), \(name)")
            }
        }
    }

    /// One that ssh takes from a file of 0600 is taken from any file, and as text.
    @Test func `are taken, whatever the file's mode`() async throws {
        let (remote, folder) = (try await Remote(), try TemporaryFolder())
        let text = try remote.server.folder.read("user_ed25519").dropLast().replacingOccurrences(of: "\n", with: "\r\n")
        for mode in [0o600, 0o400, 0o444, 0o644] as [mode_t] {
            try folder.write(text, to: "\(mode)")
            chmod(folder("\(mode)"), mode)
            #expect(try await discover(.file(folder("\(mode)")), at: remote) == remote.head, "\(mode)")
        }
        #expect(try await discover(.value(Secret(text)), at: remote) == remote.head)
    }

    @Test(
        arguments: [["-t", "ed25519"], ["-t", "rsa", "-m", "PEM"], ["-t", "ecdsa", "-m", "PKCS8"]],
        [0o600, 0o644, nil] as [mode_t?])
    func `that ask for a passphrase are told as such`(kind: [String], mode: mode_t?) async throws {
        let folder = try TemporaryFolder()
        try Command.run(["ssh-keygen", "-q"] + kind + ["-N", "hunter22", "-f", folder("locked")])
        let key: CredentialSource.Place
        if let mode {
            chmod(folder("locked"), mode)
            key = .file(folder("locked"))
        } else {
            key = .value(Secret(try folder.read("locked")))
        }
        guard case .keyUnusable(let name, .passphrase)? = await refusal(key) else {
            Issue.record("it was not told")
            return
        }
        #expect(name == (mode == nil ? "SIDEKICK_SSH_KEY" : folder("locked")))
    }

    @Test func `that are none are told apart`() async throws {
        let texts: [(String, UpstreamError.KeyProblem)] = [
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA reader@host\n", .publicKey), ("", .empty), (" \n\r\n", .empty),
            ("PuTTY-User-Key-File-3: ssh-ed25519\nx", .putty), ("hunter2", .otherText),
            ("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", .otherText),
        ]
        for (text, expected) in texts {
            guard case .keyUnusable(_, let problem)? = await refusal(.value(Secret(text))) else {
                Issue.record("\(text)")
                continue
            }
            #expect(problem == expected, "\(text)")
        }
    }

    @Test(arguments: [0o600, 0o644] as [mode_t])
    func `bring the certificate along that lies beside them`(mode: mode_t) async throws {
        let (remote, folder) = (try await Remote(), try TemporaryFolder())
        try Command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder("authority")])
        try Command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder("key")])
        let known = remote.server.folder("authorized_keys")
        let before = try String(contentsOfFile: known, encoding: .utf8)
        try (before + "\ncert-authority " + folder.read("authority.pub")).write(
            toFile: known, atomically: false, encoding: .utf8)
        chmod(folder("key"), mode)
        let refused = await refusal(.file(folder("key")), at: remote)
        #expect(refused?.isAuthentication == true, "alone it is not let in")
        try Command.run([
            "ssh-keygen", "-q", "-s", folder("authority"), "-I", "reader", "-n", NSUserName(), folder("key.pub"),
        ])
        #expect(try await discover(.file(folder("key")), at: remote) == remote.head)
    }

    @Test func `stand in a file with the addresses that they are for, and each that fits is tried`() async throws {
        let (remote, folder) = (try await Remote(), try TemporaryFolder())
        let (server, source) = (remote.server, remote.source)
        for name in ["a", "b"] { try Command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder(name)]) }
        let good = server.folder("user_ed25519")
        let host = "ssh://\(NSUserName())@127.0.0.1:\(server.port)"
        for list in [
            "\(folder("a"))\n\(folder("b"))\n\(good)\n", "# ours\r\n\r\n\(host)\(source.path)/ \(good)\r\n",
            "ssh://other.example/ \(folder("nowhere"))\n127.0.0.1 \(good)",
            "ssh://127.0.0.1/ \(folder("a"))\n\t\(host)/\t \(good)\n\(folder("b"))",
        ] {
            try folder.write(list, to: "keys")
            #expect(try await discover(nil, keys: folder("keys"), at: remote) == source.head, "\(list)")
        }
        try folder.write("ssh://127.0.0.1:1/ \(good)\n\(folder("a"))", to: "keys")
        await #expect(throws: UpstreamError.self) { try await discover(nil, keys: folder("keys"), at: remote) }
        for (list, line) in [("git@host:team/ relative/key", "line 1"), ("\n\nonly-a-prefix\n", "line 3")] {
            try folder.write(list, to: "keys")
            await #expect {
                try await discover(nil, keys: folder("keys"), at: remote)
            } throws: {
                "\($0)".contains(line)
            }
        }
    }

    @Test(arguments: [
        ("git@github.com:team/site.git", ["team", "host", "all"]),
        ("ssh://git@github.com/team/site.git", ["team", "host", "all"]),
        ("ssh://git@GitHub.com:22/team/site", ["team", "host", "all"]),
        ("git@github.com:teams/site.git", ["host", "all"]),
        ("me@github.com:team/site.git", ["all"]), ("git@example.org:team/site.git", ["all"]),
        ("ssh://git@github.com:2222/team/site.git", ["port", "team", "host", "all"]),
        ("git@github.com:team/other.git", ["other", "team", "host", "all"]),
    ])
    func `are chosen by the longest beginning`(address: String, names: [String]) throws {
        let list = """
            /all
            git@github.com: /host
            ssh://git@github.com:2222/team/site /port
            git@github.com:team/ /team
            git@github.com:team/other /other
            """
        let found = try SSHKeyList(list, in: "keys").keys(for: RemoteURL(address))
        #expect(found == names.map { "/" + $0 })
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `Files of Git LFS of a site and of its submodules` {
    private static func data(_ count: Int, seed: UInt64) -> Data {
        var random = SeededNumbers(seed: seed)
        return Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    /// Two hosts, each with repositories, objects and a login of its own.
    @Test func `come from two hosts, of which none is told the other's login`() async throws {
        let (site, theme) = (try GitRepository(), try GitRepository())
        let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
        let (firstObjects, secondObjects) = (try await Giftless(), try await Giftless())
        let one = try await Nginx(gitRepositoriesIn: first.path, login: ("ann", "one"), lfs: firstObjects)
        let two = try await Nginx(
            gitRepositoriesIn: second.path, login: ("bob", "two"), lfs: secondObjects, host: "127.0.0.2")
        let folder = try TemporaryFolder()
        try folder.write("http://ann:one@127.0.0.1:\(one.port)\nhttp://bob:two@127.0.0.2:\(two.port)\n", to: "logins")
        for repository in [site, theme] { try repository.trackPictures() }
        let url = "http://127.0.0.1:\(one.port)/site.git"
        for number in 1...2 {
            let picture = { (name: String) in String(repeating: "\(name) \(number) ", count: 500) }
            try theme.commit(["theme.png": picture("theme"), "style.css": "\(number)"])
            try theme.pushObjects(to: secondObjects.url("theme"))
            try theme.pushBare(to: second, as: "theme.git")
            try site.commit(
                modules: [("theme", "http://127.0.0.2:\(two.port)/theme.git", theme.head)],
                ["site.png": picture("site"), "index.html": "\(number)"])
            try site.pushObjects(to: firstObjects.url("site"))
            try site.pushBare(to: first, as: "site.git")
            let found = try await Sidekick.once(
                [url, folder("www"), "--submodules", "on"],
                environment: ["SIDEKICK_CREDENTIALS_FILE": folder("logins")])
            #expect(found.status == 0, "\(found.log)")
            #expect(try folder.read("www/theme/theme.png") == picture("theme"))
            #expect(try differencesFromClone(folder("www"), of: url, lfs: true, logins: folder("logins")) == "")
        }
        for (server, user) in [(one, "ann"), (two, "bob")] {
            let users = server.accessLog.split(separator: "\n").map { $0.split(separator: " ")[2] }
            #expect(Set(users).subtracting(["-"]) == [Substring(user)])
        }
    }

    /// The followed repository's own server has no Git LFS.
    @Test func `of a submodule alone are looked for at its server, by a check too`() async throws {
        let (site, theme) = (try GitRepository(), try GitRepository())
        let (first, second, folder) = (try TemporaryFolder(), try TemporaryFolder(), try TemporaryFolder())
        let objects = try await Giftless()
        let one = try await Nginx(gitRepositoriesIn: first.path)
        let two = try await Nginx(gitRepositoriesIn: second.path, lfs: objects, host: "127.0.0.2")
        try theme.trackPictures()
        let picture = String(repeating: "theme ", count: 500)
        try theme.commit(["theme.png": picture])
        try theme.pushObjects(to: objects.url("theme"))
        try theme.pushBare(to: second, as: "theme.git")
        try site.commit(
            modules: [("theme", "http://127.0.0.2:\(two.port)/theme.git", theme.head)], ["index.html": "1"])
        try site.pushBare(to: first, as: "site.git")
        let all = ["http://127.0.0.1:\(one.port)/site.git", folder("www"), "--submodules", "on"]
        let check = try Sidekick.check(all + ["--plan"])
        #expect(check.status == 0 && check.text.contains("theme/theme.png"), "\(check.text)")
        let found = try await Sidekick.once(all)
        #expect(found.status == 0, "\(found.log)")
        #expect(try folder.read("www/theme/theme.png") == picture)
        #expect(!one.accessLog.contains("/lfs/") && two.accessLog.contains("/lfs/"), "\(one.accessLog)")
    }

    /// A server over ssh says who may come, and where to; a program that says so stands in for it.
    private struct Granting {
        let ssh: SSHServer
        let lfs: LFSServer
        let bin: TemporaryFolder

        init(_ token: String, expires: Int = 600) async throws {
            (lfs, bin) = (try LFSServer(), try TemporaryFolder())
            try bin.write("", to: "asked")
            try bin.write(
                """
                #!/bin/sh
                echo "$*" >>\(bin("asked"))
                number=$(wc -l <\(bin("asked")))
                echo '{"href":"\(lfs.url)/at","header":{"Authorization":"Bearer \(token)'$number'"},"expires_in":\(expires)}'
                """, to: "git-lfs-authenticate")
            chmod(bin("git-lfs-authenticate"), 0o755)
            ssh = try await SSHServer(programs: bin.path)
        }

        var asked: [String] { get throws { try bin.read("asked").split(separator: "\n").map(String.init) } }
        var tokens: [String?] { lfs.requests.filter(\.isBatch).map { $0.headers["authorization"] } }
    }

    @Test func `over ssh are granted by each server for itself, by the key that is listed for it`() async throws {
        let (first, second) = (try await Granting("one"), try await Granting("two"))
        try first.ssh.folder.write(try first.ssh.folder.read("user_ed25519.pub"), to: "authorized_keys")
        try second.ssh.folder.write(try second.ssh.folder.read("user_rsa.pub"), to: "authorized_keys")
        let (site, theme, folder) = (try GitRepository(), try GitRepository(), try TemporaryFolder())
        let (picture, other) = (Self.data(5_000, seed: 1), Self.data(6_000, seed: 2))
        try theme.commit(["t.png": try second.lfs.add(other)])
        try site.commit(
            modules: [("theme", second.ssh.url(theme.path), theme.head)], ["s.png": try first.lfs.add(picture)])
        try folder.write(try first.ssh.knownHost() + second.ssh.knownHost(), to: "known_hosts")
        try folder.write(
            """
            \(first.ssh.url("/")) \(first.ssh.folder("user_ed25519"))
            \(second.ssh.url("/")) \(second.ssh.folder("user_rsa"))

            """, to: "keys")
        let found = try await Sidekick.once(
            [first.ssh.url(site.path), folder("www"), "--submodules", "on"],
            environment: [
                "SIDEKICK_SSH_KEYS_FILE": folder("keys"), "SIDEKICK_SSH_KNOWN_HOSTS_FILE": folder("known_hosts"),
            ])
        #expect(found.status == 0, "\(found.log)")
        #expect(try Data(contentsOf: URL(filePath: folder("www/s.png"))) == picture)
        #expect(try Data(contentsOf: URL(filePath: folder("www/theme/t.png"))) == other)
        #expect(try first.asked == ["\(site.path) download"] && second.asked == ["\(theme.path) download"])
        #expect(first.tokens == ["Bearer one1"] && second.tokens == ["Bearer two1"])
    }

    @Test func `over ssh are granted anew when a grant is over`() async throws {
        let server = try await Granting("t", expires: 1)
        let (site, folder) = (try GitRepository(), try TemporaryFolder())
        var files: [String: String?] = [:]
        // More than are asked for at once.
        for number in 0..<130 { files["\(number).png"] = try server.lfs.add(Data("picture \(number)".utf8)) }
        try site.commit(files)
        try folder.write(try server.ssh.knownHost(), to: "known_hosts")
        let found = try await Sidekick.once(
            [server.ssh.url(site.path), folder("www")],
            environment: [
                "SIDEKICK_SSH_KEY_FILE": server.ssh.folder("user_ed25519"),
                "SIDEKICK_SSH_KNOWN_HOSTS_FILE": folder("known_hosts"),
            ])
        #expect(found.status == 0, "\(found.log)")
        #expect(try folder.read("www/129.png") == "picture 129")
        #expect(server.tokens.count == 2 && server.tokens[0] != server.tokens[1], "\(server.tokens)")
        #expect(server.tokens.last == "Bearer t\(try server.asked.count)")
    }

    /// A server behind TLS that does not know of it gives links that are not encrypted, as giftless does.
    @Test func `are not asked for in plain by who is told of them over TLS`() async throws {
        let (site, bare, folder) = (try GitRepository(), try TemporaryFolder(), try TemporaryFolder())
        let lfs = try await Giftless()
        try site.trackPictures()
        try site.commit(["p.png": "picture", "index.html": "1"])
        try site.pushObjects(to: lfs.url("site"))
        try site.pushBare(to: bare, as: "site.git")
        let server = try await Nginx(
            gitRepositoriesIn: bare.path, certificate: try folder.certificate("server"), lfs: lfs)
        let found = try await Sidekick.once(
            ["https://127.0.0.1:\(server.port)/site.git", folder("www")],
            environment: ["SIDEKICK_CA_FILE": folder("server.crt")])
        #expect(found.status == 69, "\(found.log)")
        #expect(found.log.contains("p.png of Git LFS") && found.log.contains("which is not encrypted"), "\(found.log)")
        #expect(!folder.has("www/p.png"))
    }

    /// What the operator names is the followed repository's; a submodule may name the same one, and no other.
    @Test func `are had from the server that the operator trusts where a submodule names it`() async throws {
        let (site, theme, bare, folder) = (
            try GitRepository(), try GitRepository(), try TemporaryFolder(), try TemporaryFolder()
        )
        let (trusted, other) = (try LFSServer(), try LFSServer())
        let (picture, second) = (Self.data(5_000, seed: 1), Self.data(6_000, seed: 2))
        let server = try await Nginx(gitRepositoriesIn: bare.path)
        func once(naming address: String) async throws -> (status: Int32, log: String) {
            try theme.commit([
                "t.png": try trusted.add(second), ".lfsconfig": "[lfs]\n\turl = \(address)\n",
            ])
            try theme.pushBare(to: bare, as: "theme.git")
            try site.commit(
                modules: [("theme", "../theme.git", theme.head)],
                ["s.png": try trusted.add(picture), ".lfsconfig": "[lfs]\n\turl = \(other.url)\n"])
            try site.pushBare(to: bare, as: "site.git")
            return try await Sidekick.once(
                ["http://127.0.0.1:\(server.port)/site.git", folder("www")],
                environment: ["SIDEKICK_LFS_URL": trusted.url + "/"])
        }
        let refused = try await once(naming: other.url)
        #expect(
            refused.status == 65 && refused.log.contains("theme/t.png of Git LFS: .lfsconfig names \(other.url)"),
            "\(refused.log)")
        let found = try await once(naming: trusted.url)
        #expect(found.status == 0, "\(found.log)")
        #expect(try Data(contentsOf: URL(filePath: folder("www/theme/t.png"))) == second)
        #expect(other.requests.isEmpty)
    }
}

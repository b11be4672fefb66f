import Foundation
import TestSupport
import Testing

/// Commits and tags that have to be signed.
@Suite struct `Whose commits are published` {
    /// A repository whose owner signs, and where it is served.
    private final class Site {
        let source: GitRepository
        let keys: SSHKeys
        let folder: TemporaryFolder
        private let daemon: GitDaemon?
        private let nginx: Nginx?
        private let ssh: SSHServer?

        init(_ door: String = "file") async throws {
            (source, keys, folder) = (try GitRepository(), try SSHKeys(), try TemporaryFolder())
            _ = try keys.make("owner", "ed25519")
            _ = try keys.make("stranger", "ed25519")
            try source.git("config", "gpg.format", "ssh")
            try source.git("config", "user.signingkey", keys.folder("owner"))
            try source.git("init", "-q", "-b", "main", "--bare", folder("site.git"))
            try source.git("remote", "add", "origin", folder("site.git"))
            daemon = door == "git" ? try await GitDaemon(repositoriesIn: folder.path) : nil
            nginx =
                door.hasPrefix("http")
                ? try await Nginx(gitRepositoriesIn: folder.path, version2: door == "http") : nil
            ssh = door == "ssh" ? try await SSHServer() : nil
            try allow("owner@example.org \(try keys.folder.read("owner.pub"))")
        }

        var address: String {
            if let daemon { return "git://127.0.0.1:\(daemon.port)/site.git" }
            if let nginx { return "http://127.0.0.1:\(nginx.port)/site.git" }
            if let ssh { return ssh.url(folder("site.git")) }
            return folder("site.git")
        }

        /// The login, where one is needed.
        func login() throws -> [String: String] {
            guard let ssh else { return [:] }
            return [
                "SIDEKICK_SSH_KEY_FILE": ssh.folder("user_ed25519"), "SIDEKICK_SSH_KNOWN_HOSTS": try ssh.knownHost(),
            ]
        }

        func allow(_ text: String) throws { try folder.write(text, to: "trusted") }

        /// - Parameter key: whose; `nil` for no signature.
        func push(_ page: String, by key: String? = "owner") throws -> String {
            try source.folder.write(page, to: "index.html")
            try source.git("add", "-A")
            if let key { try source.git("config", "user.signingkey", keys.folder(key)) }
            try source.git("-c", "commit.gpgsign=\(key != nil)", "commit", "-q", "-m", page)
            try source.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
            return try source.head
        }

        func once(_ more: String..., environment: [String: String] = [:]) async throws -> (status: Int32, log: String) {
            try await Sidekick.once(
                [address, folder("www"), "--trusted-keys-file", folder("trusted")] + more,
                environment: environment.merging(login()) { $1 })
        }

        var page: String? { try? folder.read("www/index.html") }

        func status() throws -> [String: Any] {
            let result = try Command.run(
                [Sidekick.binary, "status", "--json", "--destination", folder("www")], mayFail: true)
            let all = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
            return all?["published"] as? [String: Any] ?? [:]
        }
    }

    @Test(arguments: ["file", "git", "http", "http of version 0", "ssh"])
    func `a commit that nobody who is trusted has signed is refused, and the next that is shows`(door: String)
        async throws
    {
        let site = try await Site(door)
        _ = try site.push("one")
        let first = try await site.once()
        #expect(first.status == 0 && site.page == "one", "\(first.log)")
        let signer = try site.status()["signer"] as? [String: String]
        #expect(signer?["name"] == "owner@example.org" && signer?["fingerprint"]?.hasPrefix("SHA256:") == true)
        for (key, reason) in [(nil, "it has no signature"), ("stranger", "by a key that is not trusted: SHA256:")] {
            let commit = try site.push("by \(key ?? "nobody")", by: key)
            let refused = try await site.once()
            #expect(refused.status == 65 && site.page == "one", "\(refused.log)")
            #expect(refused.log.contains("stage=trust") && refused.log.contains(reason), "\(refused.log)")
            #expect(refused.log.contains(commit.prefix(7)), "\(refused.log)")
        }
        _ = try site.push("two")
        let next = try await site.once()
        #expect(next.status == 0 && site.page == "two", "\(next.log)")
        // Its key ends: what it has signed before is served, and nothing that is new.
        try site.allow("owner@example.org valid-before=\"20200101\" \(try site.keys.folder.read("owner.pub"))")
        #expect(try await site.once().status == 0)
        _ = try site.push("three")
        let late = try await site.once()
        #expect(late.status == 65 && late.log.contains("not valid any more") && site.page == "two", "\(late.log)")
        try site.allow("nonsense\n")
        let broken = try await site.once()
        #expect(
            broken.status == 64 && broken.log.contains("line 1: it has no key") && site.page == "two", "\(broken.log)")
    }

    @Test(arguments: ["file", "git", "http", "http of version 0", "ssh"], ["tag", "both"])
    func `a tag has to be annotated, signed, and called what it is followed by`(door: String, verify: String)
        async throws
    {
        let site = try await Site(door)
        let options = ["--verify", verify, "--ref", "v1"]
        func once() async throws -> (status: Int32, log: String) {
            try await Sidekick.once(
                [site.address, site.folder("www"), "--trusted-keys-file", site.folder("trusted")] + options,
                environment: site.login())
        }
        func tag(_ arguments: String..., push: String) throws {
            try site.source.git("config", "user.signingkey", site.keys.folder("owner"))
            _ = try Command.run(
                ["git", "tag", "-f"] + arguments, in: site.source.path, environment: GitRepository.environment())
            try site.source.git("push", "-q", "--force", "origin", push)
        }
        _ = try site.push("one")
        try tag("v1", push: "refs/tags/v1")
        let light = try await once()
        #expect(light.status == 65 && light.log.contains("there is no annotated tag"), "\(light.log)")
        try tag("-a", "-m", "One", "v1", push: "refs/tags/v1")
        let unsigned = try await once()
        #expect(unsigned.status == 65 && unsigned.log.contains("it has no signature"), "\(unsigned.log)")
        try tag("-s", "-m", "One", "v1", push: "refs/tags/v1")
        // The commit is here, and its new tag is not.
        for plan in [[], ["--plan"]] {
            let check = try Sidekick.check(
                [site.address, site.folder("www"), "--trusted-keys-file", site.folder("trusted")] + options + plan,
                environment: site.login())
            #expect(check.status == 0, "\(check.text)")
        }
        let signed = try await once()
        #expect(signed.status == 0 && site.page == "one", "\(signed.log)")
        // An old tag under another's name.
        _ = try site.push("two")
        try tag("-s", "-m", "Zero", "v0", push: "refs/tags/v0:refs/tags/v1")
        let moved = try await once()
        #expect(moved.status == 65 && moved.log.contains("the tag object is another: v0"), "\(moved.log)")
        #expect(site.page == "one")
        // A signed tag of a commit that is not.
        let bare = try site.push("three", by: nil)
        try tag("-s", "-m", "Three", "v1", bare, push: "refs/tags/v1")
        let last = try await once()
        #expect(last.status == (verify == "tag" ? 0 : 65), "\(last.log)")
        #expect(site.page == (verify == "tag" ? "three" : "one"))
    }

    /// Whoever has an old key can date a commit as he likes: what is new is held against the clock, what was published against its date.
    @Test func `a key that is not valid any more signs nothing new, and what it has signed is made anew`() async throws
    {
        let site = try await Site()
        let key = try site.keys.folder.read("owner.pub")
        func commit(_ page: String, at time: String) throws {
            try site.source.folder.write(page, to: "index.html")
            try site.source.git("add", "-A")
            _ = try Command.run(
                ["git", "-c", "commit.gpgsign=true", "commit", "-qm", page], in: site.source.path,
                environment: GitRepository.environment().merging(["GIT_COMMITTER_DATE": time]) { $1 })
            try site.source.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
        }
        try commit("one", at: "2024-06-01T00:00:00Z")
        #expect(try await site.once().status == 0 && site.page == "one")
        try site.allow("owner@example.org valid-before=\"20250101Z\" \(key)")
        let anew = try await site.once("--mtime", "content")
        #expect(anew.status == 0 && site.page == "one", "\(anew.log)")
        try commit("two", at: "2024-07-01T00:00:00Z")
        let dated = try await site.once("--mtime", "content")
        #expect(dated.status == 65 && site.page == "one", "\(dated.log)")
        #expect(dated.log.contains("the key is not valid any more"), "\(dated.log)")
        try site.allow("owner@example.org valid-after=\"20990101Z\" \(key)")
        let early = try await site.once("--mtime", "content")
        #expect(early.status == 65 && early.log.contains("the key is not valid yet"), "\(early.log)")
        try site.allow("owner@example.org valid-after=\"20240101Z\",valid-before=\"20990101Z\" \(key)")
        let within = try await site.once("--mtime", "content")
        #expect(within.status == 0 && site.page == "two", "\(within.log)")
    }

    @Test func `what was published once can be gone back to whoever is trusted now`() async throws {
        let site = try await Site()
        let first = try site.push("one")
        #expect(try await site.once().status == 0)
        _ = try site.push("two")
        #expect(try await site.once().status == 0)
        try site.allow("stranger@example.org \(try site.keys.folder.read("stranger.pub"))")
        let back = try Command.run(
            [Sidekick.binary, "rollback", first, "--destination", site.folder("www")],
            environment: ["PATH": "/usr/bin:/bin"], mayFail: true)
        #expect(back.status == 0 && site.page == "one", "\(back.error)")
        let held = try await site.once()
        #expect(held.status == 0 && site.page == "one", "\(held.log)")
    }

    @Test func `a push beside the folder that is published needs no signature, and one in it does`() async throws {
        let site = try await Site()
        try site.source.folder.write("one", to: "docs/index.html")
        _ = try site.push("beside")
        let options = ["--subdirectory", "docs"]
        func both() async throws -> [Int32] {
            let once = try await site.once("--subdirectory", "docs")
            let check = try Sidekick.check(
                [site.address, site.folder("www"), "--trusted-keys-file", site.folder("trusted")] + options)
            #expect(
                check.failures.isEmpty || Array(check.failures.values) == [Sidekick.cause(once.log)], "\(check.text)")
            return [once.status, check.status]
        }
        #expect(try await both() == [0, 0])
        _ = try site.push("beside, by nobody", by: nil)
        for _ in 0..<2 { #expect(try await both() == [0, 0]) }
        try site.source.folder.write("two", to: "docs/index.html")
        _ = try site.push("in it, by nobody", by: nil)
        for _ in 0..<2 { #expect(try await both() == [65, 65]) }
        #expect(site.page == "one")
        _ = try site.push("signed")
        #expect(try await both() == [0, 0])
        #expect(site.page == "two")
    }

    @Test func `nothing that an untrusted commit names is asked for`() async throws {
        let site = try await Site("git")
        let trap = try HTTPTrap { _ in "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" }
        _ = try site.push("one")
        #expect(try await site.once().status == 0)
        let module = "[submodule \"m\"]\n\tpath = m\n\turl = http://127.0.0.1:\(trap.port)/m.git\n"
        try site.source.folder.write(module, to: ".gitmodules")
        try FileManager.default.createDirectory(atPath: site.source.path + "/m", withIntermediateDirectories: true)
        try site.source.git(
            "update-index", "--add", "--cacheinfo", "160000,\(String(repeating: "12", count: 20)),m")
        try site.source.folder.write(
            "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "ab", count: 32))\nsize 5\n",
            to: "large.bin")
        try site.source.folder.write("[lfs]\n\turl = http://127.0.0.1:\(trap.port)/lfs\n", to: ".lfsconfig")
        let commit = try site.push("two", by: "stranger")
        #expect(try site.source.git("ls-tree", commit).contains("160000"))
        let refused = try await site.once("--submodules", "on")
        #expect(refused.status == 65 && refused.log.contains("not trusted"), "\(refused.log)")
        // Nor by `check`, with what a pass has brought and with its own.
        let options = [
            site.address, site.folder("www"), "--trusted-keys-file", site.folder("trusted"), "--submodules", "on",
            "--lfs", "on",
        ]
        for plan in [[], ["--plan"]] {
            let check = try Sidekick.check(options + plan, environment: site.login())
            #expect(check.status == 65, "\(check.text)")
            #expect(check.failures == ["signature": Sidekick.cause(refused.log)], "\(check.text)")
        }
        #expect(trap.requests.isEmpty, "\(trap.requests)")
        // Signed, it is asked for.
        try site.allow(try site.keys.folder.read("stranger.pub"))
        let count = { trap.requests.count }
        #expect(try Sidekick.check(options, environment: site.login()).failures["submodules"] != nil)
        #expect(count() > 0)
        let asked = count()
        #expect(try await site.once("--submodules", "on").status != 0)
        #expect(count() > asked)
    }

    @Test func `a forge's own key of OpenPGP, one's own of SSH, and a page that shows which it was`() async throws {
        let site = try await Site()
        let home = try GPGHome()
        try home.gpg("--quick-gen-key", "Forge <noreply@forge.example>", "rsa2048", "sign", "0")
        let forge = String(decoding: try home.publicKey("noreply@forge.example"), as: UTF8.self)
        try site.allow("# ours\n\(try site.keys.folder.read("owner.pub"))\n# the forge's\n\(forge)")
        _ = try site.push("one")
        let trap = try HTTPTrap { request in
            request.contains("\"event\"") ? "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n" : nil
        }
        let sidekick = try Sidekick(
            [
                site.address, site.folder("www"), "--trusted-keys-file", site.folder("trusted"), "--listen",
                "127.0.0.1:0", "--delay", "100ms",
            ], environment: ["SIDEKICK_NOTIFY_URL": "http://127.0.0.1:\(trap.port)/"])
        let edge = try await sidekick.edge()
        try await eventually("the first shows") { site.page == "one" }
        try site.source.folder.write("two", to: "index.html")
        _ = try Command.run(
            [
                "git", "-c", "gpg.format=openpgp", "-c", "user.signingkey=noreply@forge.example", "commit", "-q", "-a",
                "-S", "-m", "Merge",
            ], in: site.source.path,
            environment: GitRepository.environment().merging(["GNUPGHOME": home.folder.path]) { $1 })
        try site.source.git("push", "-q", "origin", "HEAD:refs/heads/main")
        try await eventually("the merge shows") { site.page == "two" }
        try await eventually("the page shows whose it is") {
            try edge.ask("/").body.contains("Forge &lt;noreply@forge.example&gt;")
        }
        #expect(try edge.ask("/metrics").body.contains("sidekick_signer_info{name=\"Forge <noreply@forge.example>\""))
        #expect(try edge.ask("/status").body.contains("Forge <noreply"))
        try await eventually("the notification names them") {
            trap.requests.contains { $0.contains("Forge <noreply@forge.example>") }
        }
        #expect(try await sidekick.stop() == 0)
        // Whoever starts next knows it too.
        #expect(
            try Command.run([Sidekick.binary, "status", "--destination", site.folder("www")], mayFail: true).text
                .contains("signed by    Forge <noreply@forge.example>"))
    }
}

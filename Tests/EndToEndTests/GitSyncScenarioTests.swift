import Foundation
import TestSupport
import Testing

/// The scenarios that git-sync's end-to-end tests have for submodules, by their names there.
@Suite struct `What git-sync does with submodules` {
    private let folder: TemporaryFolder
    private let site: GitRepository
    private let theme: GitRepository
    private let nested: GitRepository

    init() throws {
        folder = try TemporaryFolder()
        (site, theme, nested) = (try GitRepository(), try GitRepository(), try GitRepository())
        try nested.commit(["nested": "1"])
        try theme.commit(modules: [("nested", nested.path, nested.head)], ["submodule": "1"])
        try site.commit(modules: [("theme", theme.path, theme.head)], ["file": "1"])
    }

    private func once(_ arguments: [String] = [], environment: [String: String] = [:]) async throws -> (
        status: Int32, log: String
    ) {
        try await Sidekick.once([site.path, folder("www")] + arguments, environment: environment)
    }

    private func read(_ name: String) -> String? { try? folder.read("www/" + name) }

    @Test func `submodule_sync_default`() async throws {
        #expect(try await once().status == 0)
        #expect(read("file") == "1" && read("theme/submodule") == "1" && read("theme/nested/nested") == "1")
        // The submodule moves forward, then the nested one, then another one is added, then all are gone.
        try theme.commit(modules: [("nested", nested.path, nested.head)], ["submodule": "2"])
        try site.commit(modules: [("theme", theme.path, theme.head)])
        #expect(try await once().status == 0)
        #expect(read("theme/submodule") == "2" && read("theme/nested/nested") == "1")
        try nested.commit(["nested": "2"])
        try theme.commit(modules: [("nested", nested.path, nested.head)])
        try site.commit(modules: [("theme", theme.path, theme.head)])
        #expect(try await once().status == 0)
        #expect(read("theme/nested/nested") == "2")
        try site.commit(modules: [("theme", theme.path, theme.head), ("more", nested.path, nested.head)])
        #expect(try await once().status == 0)
        #expect(read("more/nested") == "2")
        try site.commit(modules: [])
        #expect(try await once().status == 0)
        #expect(read("file") == "1" && read("theme/submodule") == nil && read("more/nested") == nil)
    }

    @Test func `submodule_sync_depth`() async throws {
        for depth in ["1", "5", "0"] {
            try theme.commit(modules: [("nested", nested.path, nested.head)], ["submodule": depth])
            try site.commit(modules: [("theme", theme.path, theme.head)])
            let found = try await once(["--depth", depth])
            #expect(found.status == 0, "\(found.log)")
            #expect(read("theme/submodule") == depth)
        }
    }

    @Test func `submodule_sync_off`() async throws {
        #expect(try await once(["--submodules", "off"]).status == 0)
        #expect(read("file") == "1" && read("theme/submodule") == nil)
    }

    /// There, of the first level alone; here always all, and of each the one commit.
    @Test func `submodule_sync_shallow`() async throws {
        let found = try await once()
        #expect(read("theme/nested/nested") == "1")
        #expect(found.log.components(separatedBy: " submodule ").count == 3, "\(found.log)")
        let commits = try Command.run(
            ["git", "--git-dir", folder(".sidekick/www/git"), "rev-list", "--all", "--count"],
            environment: GitRepository.environment())
        // One of each repository, and the one that holds the tree of all.
        #expect(commits.text == "4\n")
    }

    @Test func `submodule_sync_relative`() async throws {
        let bare = try TemporaryFolder()
        try theme.commit(modules: [("nested", "../nested.git", nested.head)])
        try site.commit(modules: [("theme", "../theme.git", theme.head)])
        try nested.pushBare(to: bare, as: "nested.git")
        try theme.pushBare(to: bare, as: "theme.git")
        try site.pushBare(to: bare, as: "site.git")
        let found = try await Sidekick.once([bare("site.git"), folder("www")])
        #expect(found.status == 0, "\(found.log)")
        #expect(read("theme/submodule") == "1" && read("theme/nested/nested") == "1")
    }

    @Test func `submodule_sync_over_ssh_different_keys`() async throws {
        let (first, second) = (try await SSHServer(), try await SSHServer())
        try first.folder.write(try first.folder.read("user_ed25519.pub"), to: "authorized_keys")
        try second.folder.write(try second.folder.read("user_rsa.pub"), to: "authorized_keys")
        try theme.commit(modules: [], ["submodule": "1"])
        try site.commit(modules: [("theme", second.url(theme.path), theme.head)])
        try folder.write(try first.knownHost() + second.knownHost(), to: "known_hosts")
        try folder.write(
            "\(first.url("/")) \(first.folder("user_ed25519"))\n\(second.url("/")) \(second.folder("user_rsa"))\n",
            to: "keys")
        var environment = [
            "SIDEKICK_SSH_KEYS_FILE": folder("keys"), "SIDEKICK_SSH_KNOWN_HOSTS_FILE": folder("known_hosts"),
            "SIDEKICK_SUBMODULES": "on",
        ]
        let found = try await Sidekick.once([first.url(site.path), folder("www")], environment: environment)
        #expect(found.status == 0, "\(found.log)")
        #expect(read("theme/submodule") == "1")
        // Without the key that is listed for it, nothing.
        try folder.write("\(first.url("/")) \(first.folder("user_ed25519"))\n", to: "keys")
        environment["SIDEKICK_STATE"] = nil
        let refused = try await Sidekick.once([first.url(site.path), folder("other")], environment: environment)
        #expect(refused.log.contains("list a key for it in SIDEKICK_SSH_KEYS_FILE"), "\(refused.log)")
    }

    @Test func `submodule_sync_over_http_different_passwords`() async throws {
        let (one, two) = (try TemporaryFolder(), try TemporaryFolder())
        let second = try await Nginx(gitRepositoriesIn: two.path, login: ("bob", "two"))
        try theme.commit(modules: [], ["submodule": "1"])
        try theme.pushBare(to: two, as: "theme.git")
        try site.commit(modules: [("theme", "http://127.0.0.1:\(second.port)/theme.git", theme.head)])
        try site.pushBare(to: one, as: "site.git")
        let first = try await Nginx(gitRepositoriesIn: one.path, login: ("ann", "one"))
        try folder.write(
            "http://ann:one@127.0.0.1:\(first.port)\nhttp://bob:two@127.0.0.1:\(second.port)\n", to: "logins")
        let found = try await Sidekick.once(
            ["http://127.0.0.1:\(first.port)/site.git", folder("www")],
            environment: ["SIDEKICK_CREDENTIALS_FILE": folder("logins"), "SIDEKICK_SUBMODULES": "on"])
        #expect(found.status == 0, "\(found.log)")
        #expect(read("theme/submodule") == "1")
    }

    // MARK: what git refuses, by its names

    /// A repository from elsewhere names a path of this machine.
    @Test(arguments: ["file:///etc", "/etc", "ext::sh -c true"])
    func `CVE-2022-39253`(address: String) async throws {
        let bare = try TemporaryFolder()
        try site.commit(modules: [("theme", address, theme.head)])
        try site.pushBare(to: bare, as: "site.git")
        let server = try await Nginx(gitRepositoriesIn: bare.path)
        let found = try await Sidekick.once(
            ["http://127.0.0.1:\(server.port)/site.git", folder("www"), "--submodules", "on"])
        #expect(found.status == 0 && found.log.contains("submodule left out"), "\(found.log)")
        #expect(read("file") == "1")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("www/theme")).isEmpty)
    }

    /// The path of a submodule leads through a symbolic link.
    @Test func `CVE-2024-32002`() async throws {
        try site.commit(modules: [("real/theme", theme.path, theme.head)])
        symlink("real", site.folder("link"))
        let text = try site.folder.read(".gitmodules").replacingOccurrences(of: "path = real", with: "path = link")
        try site.folder.write(text, to: ".gitmodules")
        try site.git("add", "link", ".gitmodules")
        try site.git("commit", "-q", "-m", "Through a link")
        let found = try await once()
        #expect(found.status == 0, "\(found.log)")
        #expect(read("real/theme/submodule") == nil && read("link/theme/submodule") == nil)
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `A site with submodules` {
    /// A site with a theme, which has a scripts; all behind one web server.
    private final class World {
        let theme: GitRepository
        let scripts: GitRepository
        let site: GitRepository
        let bare: TemporaryFolder
        let folder: TemporaryFolder
        let server: Nginx

        init(login: (user: String, password: String)? = nil, version2: Bool = true) async throws {
            (theme, scripts, site) = (try GitRepository(), try GitRepository(), try GitRepository())
            (bare, folder) = (try TemporaryFolder(), try TemporaryFolder())
            try scripts.commit(["lib.js": "1", "deep/er.js": "1"])
            try scripts.pushBare(to: bare, as: "scripts.git")
            try theme.commit(
                modules: [("vendor/lib", "./../scripts.git", scripts.head)], ["style.css": "one", "a/b.css": "one"])
            try theme.pushBare(to: bare, as: "theme.git")
            try site.commit(modules: [("themes/main", "../theme.git", theme.head)], ["index.html": "one"])
            try site.pushBare(to: bare, as: "site.git")
            server = try await Nginx(gitRepositoriesIn: bare.path, login: login, version2: version2)
        }

        var url: String { "http://127.0.0.1:\(server.port)/site.git" }
        var www: String { folder("www") }

        func push() throws { try site.pushBare(to: bare, as: "site.git") }

        func once(_ arguments: [String] = [], environment: [String: String] = [:]) async throws -> (
            status: Int32, log: String
        ) {
            try await Sidekick.once([url, www, "--layout", "link"] + arguments, environment: environment)
        }
    }

    @Test(arguments: [true, false])
    func `is published as a clone with all of them has it`(version2: Bool) async throws {
        let world = try await World(version2: version2)
        let first = try await world.once()
        #expect(first.status == 0, "\(first.log)")
        #expect(try differencesFromClone(world.www, of: world.url) == "")
        #expect(try world.folder.read("www/themes/main/vendor/lib/deep/er.js") == "1")

        // Only what changed is asked for.
        try world.scripts.commit(["lib.js": "2"])
        try world.scripts.pushBare(to: world.bare, as: "scripts.git")
        try world.theme.commit(modules: [("vendor/lib", "../scripts.git", world.scripts.head)], ["style.css": "two"])
        try world.theme.pushBare(to: world.bare, as: "theme.git")
        try world.site.commit(modules: [("themes/main", "../theme.git", world.theme.head)], ["index.html": "two"])
        try world.push()
        let second = try await world.once()
        #expect(second.status == 0 && second.log.contains("written=4"), "\(second.log)")
        #expect(try differencesFromClone(world.www, of: world.url) == "")
        let verify = try Command.run([Sidekick.binary, "verify", world.www], mayFail: true)
        #expect(verify.status == 0, "\(verify.text)\(verify.error)")

        // Removed, and a folder in its place.
        try world.site.commit(modules: [], ["themes/main/plain": "x"])
        try world.push()
        #expect(try await world.once().status == 0)
        #expect(try differencesFromClone(world.www, of: world.url) == "")
        let back = try Command.run([Sidekick.binary, "rollback", "--destination", world.www], mayFail: true)
        #expect(back.status == 0, "\(back.text)\(back.error)")
        #expect(try world.folder.read("www/themes/main/vendor/lib/lib.js") == "2")
    }

    @Test func `leaves out what is not at the host of the repository, unless it is told to`() async throws {
        let world = try await World()
        let elsewhere = "http://localhost:\(world.server.port)/theme.git"
        try world.site.commit(modules: [("themes/main", elsewhere, world.theme.head)], ["index.html": "one"])
        try world.push()
        let found = try await world.once()
        #expect(found.status == 0 && found.log.contains("submodule left out"), "\(found.log)")
        #expect(found.log.contains("is not at REPOSITORY's host"), "\(found.log)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.folder("www/themes/main")).isEmpty)

        // Another recipe makes another tree of the same commit.
        #expect(try await world.once(["--submodules", "on"]).status == 0)
        #expect(try differencesFromClone(world.www, of: world.url) == "")
        #expect(try await world.once(["--submodules", "off"]).status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.folder("www/themes/main")).isEmpty)
    }

    @Test func `stays as it is when one cannot be had, which is named`() async throws {
        let world = try await World()
        #expect(try await world.once().status == 0)
        let unborn = String(repeating: "7", count: 40)
        try world.site.commit(modules: [("themes/main", "../theme.git", unborn)], ["index.html": "two"])
        try world.push()
        let found = try await world.once()
        #expect(found.status == 65 || found.status == 69, "\(found.status)")
        #expect(
            found.log.contains("the submodule themes/main of http://127.0.0.1:\(world.server.port)/theme.git"),
            "\(found.log)")
        #expect(found.log.contains("push that commit to the submodule's repository"), "\(found.log)")
        #expect(try world.folder.read("www/index.html") == "one")
    }

    @Test func `is brought with the login of the repository, from its own host alone`() async throws {
        let world = try await World(login: ("reader", "s3cr3t"))
        let login = ["SIDEKICK_USERNAME": "reader", "SIDEKICK_PASSWORD": "s3cr3t"]
        #expect(try await world.once(environment: login).status == 0)
        #expect(try world.folder.read("www/themes/main/style.css") == "one")

        let trap = try await World(login: ("reader", "s3cr3t"))
        let elsewhere = "http://127.0.0.1:\(trap.server.port)/theme.git"
        try world.site.commit(modules: [("themes/main", elsewhere, world.theme.head)], ["index.html": "two"])
        try world.push()
        let found = try await world.once(["--submodules", "on"], environment: login)
        #expect(found.log.contains("asks for a login and none is configured"), "\(found.log)")
        #expect(try world.folder.read("www/index.html") == "one")
    }

    @Test func `is only those that are part of what is published`() async throws {
        let world = try await World()
        let nowhere = "../nowhere.git"
        try world.site.commit(
            modules: [
                ("public/theme", "../theme.git", world.theme.head), ("internal", nowhere, world.theme.head),
                ("public/secret", nowhere, world.theme.head),
            ], ["public/index.html": "one"])
        try world.push()
        let some = try await world.once(["--subdirectory", "public", "--exclude", "/secret"])
        #expect(some.status == 0, "\(some.log)")
        #expect(try world.folder.read("www/theme/vendor/lib/lib.js") == "1")
        #expect(!world.folder.has("www/secret"))
        // A folder of a submodule is a folder like any other.
        let inner = try await world.once(["--subdirectory", "public/theme/vendor"])
        #expect(inner.status == 0, "\(inner.log)")
        #expect(try world.folder.read("www/lib/lib.js") == "1")
    }

    @Test func `of a repository on this machine has paths, which others may not name`() async throws {
        let world = try await World()
        let local = try await Sidekick.once([world.bare("site.git"), world.folder("local")])
        #expect(local.status == 0, "\(local.log)")
        #expect(try world.folder.read("local/themes/main/vendor/lib/lib.js") == "1")
        try world.site.commit(
            modules: [("themes/main", world.bare("theme.git"), world.theme.head)], ["index.html": "2"])
        try world.push()
        let found = try await world.once(["--submodules", "on"])
        #expect(found.status == 0 && found.log.contains("its url is a path on this machine"), "\(found.log)")
        #expect(!world.folder.has("www/themes/main/style.css"))
    }

    @Test func `nests no deeper than eight`() async throws {
        let world = try await World()
        var inner = world.scripts
        for number in 0..<10 {
            let outer = try GitRepository()
            try inner.pushBare(to: world.bare, as: "level\(number).git")
            try outer.commit(modules: [("m", "../level\(number).git", inner.head)], ["f": "\(number)"])
            inner = outer
        }
        try inner.pushBare(to: world.bare, as: "deep.git")
        let url = "http://127.0.0.1:\(world.server.port)/deep.git"
        let found = try await Sidekick.once([url, world.www])
        #expect(found.status == 65 && found.log.contains("nested more than 8 deep"), "\(found.log)")
    }
}

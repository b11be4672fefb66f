import Foundation
import TestSupport
import Testing

/// `verify` beside what a repository may hold, and beside a daemon that goes on.
@Suite struct `What verify may not do` {
    /// Ten nested trees of ten beside the one that is published.
    private func bomb() throws -> GitRepository {
        let source = try GitRepository()
        var tree = try source.git("mktree", input: Data("100644 blob \(try source.blob("x"))\tf\n".utf8))
        for _ in 0..<10 {
            let rows = (0..<10).map { "040000 tree \(tree)\td\($0)\n" }.joined()
            tree = try source.git("mktree", input: Data(rows.utf8))
        }
        let site = try source.git("mktree", input: Data("100644 blob \(try source.blob("one"))\tindex.html\n".utf8))
        let root = try source.git("mktree", input: Data("040000 tree \(tree)\tbomb\n040000 tree \(site)\tsite\n".utf8))
        _ = try source.commit(tree: root)
        return source
    }

    @Test func `a hostile rest beside what is published costs it nothing`() async throws {
        let source = try bomb()
        let folder = try TemporaryFolder()
        let arguments = [source.path + "/.git", folder("www"), "--include", "/site/"]
        #expect(try await Sidekick.once(arguments).status == 0)
        let start = Date()
        let verify = try Command.run([Sidekick.binary, "verify", folder("www")], mayFail: true)
        #expect(verify.status == 0 && verify.error.contains("equal to commit"), "\(verify)")
        let repair = try Command.run([Sidekick.binary, "verify", folder("www"), "--repair"], mayFail: true)
        #expect(repair.status == 0, "\(repair)")
        #expect(Date().timeIntervalSince(start) < 60, "all of it takes days")
    }

    @Test func `goes on around what it may not read, and says so`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        chmod(folder.path, 0o777)
        mkdir(folder("www"), 0o755)
        chown(folder("www"), 65_533, 65_533)
        mkdir(folder("www/lost+found"), 0o700)
        let user = ["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups"]
        try Command.run(["chmod", "-R", "a+rX", source.path])
        let pass = try await Sidekick.once([source.path + "/.git", folder("www")], wrapper: user)
        #expect(pass.status == 0, "\(pass.log)")
        let verify = try Command.run(user + [Sidekick.binary, "verify", folder("www")], mayFail: true)
        #expect(
            verify.status == 0 && verify.text.contains("cannot be read, and was not published by sidekick: lost+found"),
            "\(verify)")
        let repair = try Command.run(user + [Sidekick.binary, "verify", folder("www"), "--repair"], mayFail: true)
        #expect(repair.status == 0, "\(repair)")
        unlink(folder("www/index.html"))
        let broken = try Command.run(user + [Sidekick.binary, "verify", folder("www")], mayFail: true)
        #expect(broken.status == 1 && broken.text.contains("missing: index.html"), "\(broken)")
    }

    @Test func `a push is published while a daemon compares`() async throws {
        let source = try GitRepository()
        var files: [String: String?] = [:]
        for number in 0..<3_000 { files["pages/\(number).html"] = "\(number)" }
        files["index.html"] = "one"
        try source.commit(files)
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([source.path, folder("www"), "--delay", "100ms"])
        try await sidekick.prints("published", within: 60)
        try FileManager.default.removeItem(
            atPath: URL(fileURLWithPath: folder("www")).resolvingSymlinksInPath().path + "/pages/7.html")
        let verify = try ChildProcess(
            [Sidekick.binary, "verify", folder("www"), "--repair"], output: folder("out"), error: folder("err"))
        try source.commit(["index.html": "two"])
        try await eventually("the push shows") { try folder.read("www/index.html") == "two" }
        try await eventually(within: 60, "the comparison ends") { verify.status != nil }
        try await eventually("what was missing is back") { folder.has("www/pages/7.html") }
        #expect(verify.waitForEnd() == 0, "\((try? folder.read("out")) ?? "") \((try? folder.read("err")) ?? "")")
        #expect(try differences(folder("www"), from: source.path, source.head) == [])
    }
}

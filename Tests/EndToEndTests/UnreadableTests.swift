import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: geteuid() == 0, "what root owns needs root")) struct `Files that may not be read` {
    private let source: GitRepository
    private let folder: TemporaryFolder

    init() throws {
        source = try GitRepository()
        folder = try TemporaryFolder()
        // The binary may lie where nobody may look.
        try Command.run(["cp", Sidekick.binary, folder("sidekick")])
        chmod(folder("sidekick"), 0o755)
        try FileManager.default.createDirectory(atPath: folder("open/www"), withIntermediateDirectories: true)
        for name in ["open", "open/www"] { chown(folder(name), 65534, 65534) }
    }

    private func pass(_ layout: String) throws -> Command.Result {
        try Command.run(
            [
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", folder("sidekick"), source.path,
                folder("open/www"), "--layout", layout, "--once",
            ], environment: ["PATH": "/usr/bin:/bin"], mayFail: true)
    }

    /// Root's alone.
    private func hide(_ name: String) {
        chown(folder(name), 0, 0)
        chmod(folder(name), 0o600)
    }

    @Test func `one that stands in the way in a folder makes way, and is kept`() throws {
        try folder.write("secret", to: "open/www/config.json")
        hide("open/www/config.json")
        let commit = try source.commit(["a.html": "1", "config.json": "{}", "z.html": "1"])
        let result = try pass("folder")
        #expect(result.status == 0, "\(result.error)")
        #expect(try differences(folder("open/www"), from: source.path, commit) == [])
        let lost = try contents(of: folder("open/.sidekick/www/lost+found")) ?? [:]
        #expect(Array(lost.values) == [.file("secret")])
    }

    @Test(arguments: ["link", "exchange", "folder"])
    func `a published one does not stop what comes next`(layout: String) throws {
        rmdir(folder("open/www"))
        try source.commit(["a.html": "1", "b.html": "1"])
        #expect(try pass(layout).status == 0)
        // In place, in the inode that trees share.
        let shown = try #require(realpath(folder("open/www"), nil))
        defer { free(shown) }
        chown(String(cString: shown) + "/a.html", 0, 0)
        chmod(String(cString: shown) + "/a.html", 0o600)
        var said = ""
        for number in 2..<5 {
            let commit = try source.commit(["b.html": "\(number)"])
            let result = try pass(layout)
            #expect(result.status == 0, "\(result.error)")
            #expect(try differences(folder("open/www/"), from: source.path, commit) == [])
            said += result.error
        }
        #expect(said.contains("not kept: a.html") == (layout != "folder"), "\(said)")
    }

    @Test func `one larger than any memory is not read to learn that it is another`() async throws {
        try source.commit(["a.html": "1", "b.html": "1"])
        rmdir(folder("open/www"))
        for layout in ["folder", "link"] {
            #expect(try pass(layout).status == 0)
            let shown = try #require(realpath(folder("open/www"), nil))
            defer { free(shown) }
            #expect(truncate(String(cString: shown) + "/a.html", 1 << 42) == 0)
            let result = try pass(layout)
            #expect(result.status == 0, "\(layout): \(result.error)")
            #expect(try folder.read("open/www/a.html") == "1")
            try Command.run(["rm", "-rf", folder("open/.sidekick/www/lost+found")])
        }
    }
}

import Foundation
import TestSupport
import Testing

/// What other users of the machine, and what hooks, can read.
@Suite struct `Least rights` {
    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test(arguments: ["link", "exchange"])
    func `a commit that the gate looks at or has refused is for nobody else, and one that is shown for all`(
        layout: String
    )
        async throws
    {
        let source = try GitRepository()
        try source.commit(["index.html": "one", "a/b.html": "x"])
        let folder = try TemporaryFolder()
        let look =
            "stat -c %a . >\(folder("modes")); stat -c %a \"$CHANGED_PATHS_FILE\" >>\(folder("modes")); grep -q good index.html"
        let gate = [
            "--before-publish", "[\"/bin/sh\", \"-c\", \"\(look.replacingOccurrences(of: "\"", with: "\\\""))\"]",
        ]
        let arguments = [source.path, folder("www"), "--layout", layout]
        #expect(try await Sidekick.once(arguments).status == 0)
        for (number, text) in ["bad", "good", "bad again", "good again", "good once more"].enumerated() {
            let commit = try source.commit(["index.html": text])
            let pass = try await Sidekick.once(arguments + gate)
            #expect((pass.status == 0) == text.hasPrefix("good"), "\(number): \(pass.log)")
            #expect(try folder.read("modes") == "700\n600\n", "\(number)")
            #expect(mode(URL(fileURLWithPath: folder("www")).resolvingSymlinksInPath().path) == 0o755)
            let trees = folder(".sidekick/www/trees")
            for tree in try FileManager.default.contentsOfDirectory(atPath: trees) where tree.hasPrefix(commit) {
                let isShown = layout == "link" && text.hasPrefix("good")
                #expect(mode(trees + "/" + tree) == (isShown ? 0o755 : 0o700), "\(number)")
            }
            for record in try FileManager.default.contentsOfDirectory(atPath: folder(".sidekick/www/records")) {
                #expect(mode(folder(".sidekick/www/records/" + record)) & 0o077 == 0, "\(record)")
            }
        }
    }

    @Test func `no process of the same user finds a secret in the environment of this one, and no core holds it`()
        async throws
    {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let secrets = [
            "SIDEKICK_WEBHOOK_SECRET": "s3cr3t-one", "SIDEKICK_PASSWORD": "s3cr3t-two",
            "SIDEKICK_NOTIFY_SECRET": "whsec_czNjcjN0LXRocmVl", "HTTPS_PROXY": "http://u:s3cr3t-four@127.0.0.1:1",
        ]
        let sidekick = try Sidekick(
            [source.path, folder("www"), "--delay", "1h", "--listen", "127.0.0.1:0"], environment: secrets)
        try await sidekick.prints("published")
        let environment = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(sidekick.pid)/environ"))
        #expect(environment.range(of: Data("SIDEKICK_PASSWORD=".utf8)) != nil)
        #expect(
            !SecretHunt(["s3cr3t-one", "s3cr3t-two", "whsec_czNjcjN0LXRocmVl", "s3cr3t-four"]).isFound(in: environment))
        let limits = try String(contentsOfFile: "/proc/\(sidekick.pid)/limits", encoding: .utf8)
        #expect(limits.contains(/Max core file size +0 +0/), "\(limits)")
    }

    @Test(arguments: ["000", "022", "077"])
    func `a socket is for its owner and its group, whatever the umask is`(umask: String) async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick(
            [source.path, folder("www"), "--listen", "unix:" + folder("socket"), "--delay", "1h"],
            wrapper: ["sh", "-c", "umask \(umask); exec \"$0\" \"$@\""])
        try await sidekick.prints("published")
        #expect(mode(folder("socket")) == 0o660)
    }

    @Test func `a state folder that somebody else owns is refused, with whose it is`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        for (mode, isTaken) in [(0o777, false), (0o755, false), (0o775, true)] as [(mode_t, Bool)] {
            try Command.run(["rm", "-rf", folder(".sidekick"), folder("www")])
            mkdir(folder(".sidekick"), 0o755)
            chmod(folder(".sidekick"), mode)
            chown(folder(".sidekick"), 65_533, getegid())
            let pass = try await Sidekick.once([source.path, folder("www")])
            #expect((pass.status == 0) == isTaken, "\(pass.log)")
            if !isTaken {
                #expect(
                    pass.status == 73 && pass.log.contains("belongs to uid 65533") && pass.log.contains("chown -R"),
                    "\(pass.log)")
                #expect(!folder.has("www"))
            }
        }
    }
}

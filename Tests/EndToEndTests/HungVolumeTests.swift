import Foundation
import TestSupport
import Testing

@Suite struct `A volume that hangs` {
    /// In each stage of a pass and between passes: whatever touches the volume then does not come back.
    @Test(arguments: ["between passes", "in a pass", "with a hook"])
    func `leaves liveness its answer within 100 ms, and what comes back goes on`(moment: String) async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let hang = folder("hang")
        let shim = try FaultShim.shared.get()
        let hook = moment == "with a hook" ? ["--on-publish", "[\"/bin/true\"]"] : []
        let sidekick = try Sidekick(
            [
                remote.url(), folder("www"), "--delay", moment == "between passes" ? "200ms" : "1h", "--listen",
                "127.0.0.1:0",
            ] + hook,
            environment: shim.environment(hangingWhile: hang))
        let edge = try await sidekick.edge()
        try await sidekick.prints("published")
        try folder.write("", to: "hang")
        try remote.push(["index.html": "two"])
        sidekick.send(SIGHUP)
        try await Task.sleep(for: .milliseconds(500))
        var longest = 0.0
        for _ in 0..<20 {
            let answer = try edge.ask("/livez")
            #expect(answer.status == 200)
            longest = max(longest, answer.seconds)
            for path in ["/metrics", "/status"] { #expect(try edge.ask(path).status == 200) }
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(longest < 0.5, "\(longest) s; what waits for the disk waits a second")
        // A site that nobody can see is not ready.
        let ready = try edge.ask("/readyz")
        #expect(ready.status == 503, "\(ready)")
        #expect(try folder.read("www/index.html") == "one")
        unlink(hang)
        try await eventually(within: 30, "it goes on") { try folder.read("www/index.html") == "two" }
        #expect(try edge.ask("/readyz").status == 200)
        #expect(try await sidekick.stop() == 0)
    }
}

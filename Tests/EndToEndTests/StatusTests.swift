import Foundation
import TestSupport
import Testing

@Suite struct `What operators see` {
    private func ask(_ command: String, _ folder: TemporaryFolder, _ arguments: String...) throws -> Command.Result {
        try Command.run(
            [Sidekick.binary, command, folder("www")] + arguments, environment: ["PATH": "/usr/bin:/bin"], mayFail: true
        )
    }

    @Test func `status and health tell what is published, that the loop runs, and why passes fail`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let proxy = try FaultProxy(to: remote.server.port)
        let folder = try TemporaryFolder()
        #expect(try ask("health", folder).status == 1, "nothing runs yet")
        let sidekick = try Sidekick([
            remote.url(port: proxy.port), folder("www"), "--delay", "100ms", "--backoff", "200ms",
        ])
        try await sidekick.prints("published")
        try await eventually("health is good") { try ask("health", folder).status == 0 }
        try await eventually("the status is written") { folder.has(".sidekick/www/status.json") }
        let head = try remote.source.head
        #expect(try ask("status", folder).text.contains(head))

        proxy.fault = .cut(after: 0)
        try await sidekick.prints("pass failed")
        try await eventually("the status shows the failure") {
            try ask("status", folder).text.contains("\nfailing      discover: ")
        }
        #expect(try ask("health", folder).status == 0, "a dead remote is no reason")
        #expect(try ask("health", folder, "--max-age", "1h").status == 0)
        try await eventually("it is old") { try ask("health", folder, "--max-age", "1s").status == 1 }
        #expect(try ask("health", folder, "--max-age", "soon").status == 64)
        let json = try ask("status", folder, "--json").output
        let object = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        #expect((object["published"] as? [String: Any])?["commit"] as? String == head)
        #expect((object["failure"] as? [String: Any])?["stage"] as? String == "discover")
        #expect(object["schema"] as? Int == 1)

        proxy.fault = .none
        try await sidekick.prints("recovered")
        try await eventually("the status shows the recovery") {
            try ask("status", folder).text.hasPrefix("all is well: ")
        }
        #expect(try await sidekick.stop() == 0)
        #expect(try ask("health", folder).status == 1)
        #expect(try ask("status", folder).text.contains("running      no"))
    }

    @Test func `in JSON every line of the log is an object`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let result = try await Sidekick.once([
            source.path, folder("www"), "--log-format", "json", "--log-level", "debug",
        ])
        let lines = result.log.split(separator: "\n")
        #expect(lines.count >= 2)
        for line in lines {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(object["level"] != nil && object["time"] != nil && object["message"] != nil)
        }
    }

    @Test func `a long transfer draws one line on a terminal and writes a line every few seconds into a log`()
        async throws
    {
        var files: [String: String?] = [:]
        for number in 0..<400 { files["\(number).html"] = (0..<9).map { _ in UUID().uuidString }.joined() }
        let remote = try await HTTPRemote(files)
        let proxy = try FaultProxy(to: remote.server.port, fault: .slow(bytesPerSecond: 3000))
        let log = try TemporaryFolder()
        let daemon = try Sidekick([remote.url(port: proxy.port), log("www"), "--once"])
        let terminal = try TemporaryFolder()
        let command = "\(Sidekick.binary) \(remote.url(port: proxy.port)) \(terminal("www")) --once"
        let drawn = try ChildProcess(["script", "-qfec", command, terminal("typescript")])
        try await daemon.prints(" info receiving bytes=", within: 30)
        #expect(!daemon.log.contains("\r"))
        try await eventually("progress is drawn") {
            (try? terminal.read("typescript").contains("\r\u{1B}[Kreceiving: ")) == true
        }
        daemon.send(SIGTERM)
        #expect(try await daemon.wait(within: 5) == 75, "one pass that did not end is no success")
        drawn.kill()
    }

    @Test func `SIGTERM before the loop runs, and while it rests, ends it with status 0`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        for signal in [SIGTERM, SIGINT] {
            let sidekick = try Sidekick([source.path, folder("www"), "--delay", "1h"])
            try await sidekick.prints("started")
            sidekick.send(signal)
            #expect(try await sidekick.wait() == 0)
        }
    }
}

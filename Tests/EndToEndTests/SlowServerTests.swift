import Foundation
import TestSupport
import Testing

/// A server that is never silent for long, and never comes to an end either.
@Suite struct `Before anything is published, a server that is slow` {
    struct Case: Sendable {
        let name: String
        var doors = ScriptedGitServer.Door.allCases
        let change: @Sendable (inout GitScript, ScriptedGitServer.Door) -> Void
    }

    private static let pause = 0.4
    private static let id = RawID.unknown(1)

    /// So much of this comes one byte at a time.
    private static func slow(_ name: String, _ stage: GitScript.Stage, doors: [ScriptedGitServer.Door]) -> Case {
        Case(name: name, doors: doors) { script, _ in script.pace[stage] = (1, pause) }
    }

    /// This comes one byte at a time, and again, before a part that does not come.
    private static func drip(
        _ name: String, _ stage: GitScript.Stage, doors: [ScriptedGitServer.Door] = ScriptedGitServer.Door.allCases,
        after start: [UInt8] = [], _ bytes: [UInt8]
    ) -> Case {
        Case(name: name, doors: doors) { script, _ in
            script.before[stage] = [.bytes(start), .dripping(bytes, every: pause)]
        }
    }

    private static let http: [ScriptedGitServer.Door] = [.http2, .http0]
    private static let version2: [ScriptedGitServer.Door] = [.http2, .git2]

    static let cases = [
        drip("100 Continue in bytes", .discoveryHead, doors: http, Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)),
        Case(name: "100 Continue", doors: http) { script, _ in
            let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
            script.before[.discoveryHead] = [.dripping(interim, step: interim.count, every: pause)]
        },
        Case(name: "103 at times", doors: http) { script, _ in
            let interim = Array("HTTP/1.1 103 Early Hints\r\n\r\n".utf8)
            script.before[.fetchHead] = [.dripping(interim, step: interim.count, every: pause)]
        },
        Case(name: "103 as fast as they come", doors: http) { script, _ in
            script.before[.discoveryHead] = [.endless(Array("HTTP/1.1 103 Early Hints\r\n\r\n".utf8))]
        },
        slow("the header", .discoveryHead, doors: http),
        Case(name: "the body of a redirect", doors: http) { script, _ in
            script.instead[.discoveryHead] = [
                .text(
                    "HTTP/1.1 302 Found\r\nLocation: /site.git/info/refs?service=git-upload-pack\r\n"
                        + "Content-Length: 60000\r\n\r\n"), .dripping([120], every: pause),
            ]
        },
        slow("the greeting", .capabilities, doors: ScriptedGitServer.Door.allCases),
        slow("the references", .references, doors: ScriptedGitServer.Door.allCases),
        drip("references nobody asked for", .references, Packet.line("\(id) refs/heads/x\n")),
        slow("the header of the answer", .fetchHead, doors: http),
        drip("acknowledgments", .acknowledgments, doors: [.http0, .git0], Packet.line("ACK \(id) common\n")),
        drip(
            "acknowledgments before sections", .acknowledgments, doors: version2,
            after: Packet.line("acknowledgments\n"), Packet.line("NAK\n")),
        drip(
            "sections", .acknowledgments, doors: version2,
            Packet.line("acknowledgments\n") + Packet.line("NAK\n") + Packet.delimiter),
        drip("progress", .pack, Packet.line("\u{2}.\r")),
        drip("empty packets", .pack, Array("0004".utf8)),
        slow("the pack", .pack, doors: ScriptedGitServer.Door.allCases),
    ]

    @Test(arguments: ScriptedGitServer.Door.allCases)
    func `is given up at the deadline, whatever it is slow with, and this is told`(door: ScriptedGitServer.Door)
        async throws
    {
        let honest = try GitScript(RawCommit(["index.html": "one"]))
        let wrong = try await withThrowingTaskGroup(of: String?.self) { group in
            for slow in Self.cases where slow.doors.contains(door) {
                var script = honest
                slow.change(&script, door)
                group.addTask { [script] in try await Self.fault(of: slow.name, script, honest, door) }
            }
            return try await group.reduce(into: [String]()) { wrong, fault in if let fault { wrong.append(fault) } }
        }
        #expect(wrong.sorted() == [])
    }

    /// - Returns: what is wrong with a first pass, and with one that has an honest server.
    @concurrent
    private static func fault(
        of name: String, _ script: GitScript, _ honest: GitScript, _ door: ScriptedGitServer.Door
    ) async throws -> String? {
        let server = try ScriptedGitServer(door, script)
        let folder = try TemporaryFolder()
        let arguments = [server.url, folder("www"), "--timeout", "1s", "--deadline", "3s", "--max-pack", "1MB"]
        let pass = try await Sidekick.measured(arguments, within: 25)
        // Some of it is no answer at all, and given up for that before.
        let isTold = ["SIDEKICK_DEADLINE", "sent nothing for", "malformed"].contains { pass.log.contains($0) }
        // A dozen of them at a time on two cores take a while to begin.
        guard [69, 75].contains(pass.status), pass.seconds < 20, isTold, !folder.has("www") else {
            return "\(name): status \(pass.status) after \(pass.seconds) s: \(pass.cause)"
        }
        server.script = honest
        let next = try await Sidekick.once(arguments)
        return next.status == 0 ? nil : "\(name): then \(next.log)"
    }

    @Test(arguments: ScriptedGitServer.Door.allCases)
    func `but brings two kilobytes and more a second gets through, however long it takes`(door: ScriptedGitServer.Door)
        async throws
    {
        let text = (0..<300).map { _ in UUID().uuidString }.joined()
        var script = try GitScript(RawCommit(["index.html": text]))
        script.instead[.pack] = [.slowly(Packet.band(script.pack, size: 400), step: 250, every: 0.1)]
        let server = try ScriptedGitServer(door, script)
        let folder = try TemporaryFolder()
        let pass = try await Sidekick.measured([
            server.url, folder("www"), "--timeout", "1s", "--deadline", "3s", "--max-pack", "1MB",
        ])
        #expect(pass.status == 0 && pass.seconds > 4, "\(pass)")
        #expect(try folder.read("www/index.html") == text)
    }

    @Test func `shows as a failure of the daemon, in its log, its metrics and its health`() async throws {
        var script = try GitScript(RawCommit(["index.html": "one"]))
        script.pace[.pack] = (1, Self.pause)
        let server = try ScriptedGitServer(.http2, script)
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([
            server.url, folder("www"), "--timeout", "1s", "--deadline", "2s", "--listen", "127.0.0.1:0",
        ])
        let edge = try await sidekick.edge()
        try await sidekick.prints("pass failed, will retry", within: 8)
        #expect(sidekick.log.contains("SIDEKICK_DEADLINE"), "\(sidekick.log)")
        let metrics = try edge.ask("/metrics").body
        #expect(metrics.contains(/sidekick_pass_failures_total\{[^}]*stage="fetch"[^}]*\} 1/), "\(metrics)")
        #expect(try edge.ask("/readyz").status == 503)
        #expect(try await sidekick.stop() == 0)
    }
}

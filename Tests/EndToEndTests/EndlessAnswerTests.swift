import Foundation
import TestSupport
import Testing

/// A server that never comes to an end with something. Each is given up for it, in bounded time and memory.
@Suite struct `Answers without an end` {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var doors = ScriptedGitServer.Door.allCases
        var ref: String?
        let change: @Sendable (inout GitScript, ScriptedGitServer.Door) -> Void
        var testDescription: String { name }
    }

    private static func head(_ name: String, _ fields: String) -> [UInt8] {
        Array("HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-\(name)\r\n\(fields)".utf8)
    }

    private static let id = RawID.unknown(1)
    private static let letters = String(repeating: "x", count: 60_000)
    /// 30 kB that are 30 MB.
    private static let zipped = Result {
        try Command.run(["gzip", "-9"], input: Data(repeating: 48, count: 30_000_000)).output
    }

    static let references = [
        Case(name: "long references") { script, _ in
            script.before[.references] = [.endless(Packet.line("\(id) refs/heads/\(letters)\n"))]
        },
        Case(name: "short references") { script, _ in
            script.before[.references] = [.endless(Packet.line("\(id) refs/heads/x\n"))]
        },
        Case(name: "tags that are wanted", doors: [.http2, .git0], ref: "semver:^1") { script, _ in
            script.before[.references] = [.endless(Packet.line("\(id) refs/tags/v1.0.0\n"))]
        },
        Case(name: "long tags that are wanted", doors: [.http0, .git2], ref: "semver:^1") { script, _ in
            script.before[.references] = [.endless(Packet.line("\(id) refs/tags/v1.0.0-\(letters)\n"))]
        },
    ]

    static let others = [
        Case(name: "capabilities", doors: [.git2]) { script, _ in
            script.instead[.capabilities] = [
                .bytes(Packet.line("version 2\n")), .endless(Packet.line("x=\(letters.prefix(900))\n")),
            ]
        },
        Case(name: "boundaries", doors: [.http2, .git0]) { script, door in
            script.before[.boundaries] =
                (door.isVersion2 ? [.bytes(Packet.line("shallow-info\n"))] : [])
                + [.endless(Packet.line("shallow \(id)\n"))]
        },
        Case(name: "acknowledgments", doors: [.http0, .git2]) { script, door in
            script.before[.acknowledgments] =
                (door.isVersion2 ? [.bytes(Packet.line("acknowledgments\n"))] : [])
                + [.endless(Packet.line("ACK \(id)\(door.isVersion2 ? "" : " common")\n"))]
        },
        Case(name: "sections", doors: [.http2]) { script, _ in
            script.before[.acknowledgments] = [
                .endless(Packet.line("acknowledgments\n") + Packet.line("NAK\n") + Packet.delimiter)
            ]
        },
        Case(name: "progress", doors: [.git0]) { script, _ in
            script.before[.pack] = [.endless(Packet.line("\u{2}\(letters)\r"))]
        },
        Case(name: "short progress", doors: [.http2]) { script, _ in
            script.before[.pack] = [.endless(Packet.line("\u{2}.\r"))]
        },
        Case(name: "empty packets", doors: [.http2, .git0]) { script, _ in
            script.before[.pack] = [.endless(Array("0004".utf8))]
        },
        Case(name: "empty bands", doors: [.http0, .git2]) { script, _ in
            script.before[.pack] = [.endless(Packet.line([1]))]
        },
        Case(name: "a pack", doors: [.http2, .git0]) { script, _ in
            script.instead[.pack] = [
                .bytes(Packet.band(Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 9, 0xb9, 0xff, 0xff, 0xff, 0x7f])),
                .endless(Packet.band([UInt8](repeating: 0, count: 60_000))),
            ]
        },
        Case(name: "compressed references", doors: [.http2]) { script, _ in
            let zipped = (try? zipped.get()) ?? Data()
            script.instead[.referencesHead] = [
                .bytes(head("result", "Content-Encoding: gzip\r\n\r\n")), .endless(Array(zipped)),
            ]
        },
        Case(name: "header fields", doors: [.http2, .http0]) { script, _ in
            script.instead[.discoveryHead] = [
                .bytes(head("advertisement", "")), .endless(Array("X-Field: \(letters.prefix(900))\r\n".utf8)),
            ]
        },
        Case(name: "a reason phrase", doors: [.http2]) { script, _ in
            script.instead[.discoveryHead] = [.text("HTTP/1.1 200 "), .endless(Array("very well ".utf8))]
        },
        Case(name: "trailers", doors: [.http2]) { script, _ in
            script.instead[.fetchHead] = [
                .bytes(head("result", "Transfer-Encoding: chunked\r\n\r\n0\r\n")),
                .endless(Array("X-Field: \(letters.prefix(900))\r\n".utf8)),
            ]
        },
        Case(name: "extensions of a chunk", doors: [.http0]) { script, _ in
            script.instead[.fetchHead] = [
                .bytes(head("result", "Transfer-Encoding: chunked\r\n\r\n4;")), .endless(Array("x=y;".utf8)),
            ]
        },
        Case(name: "interim answers", doors: [.http2, .http0]) { script, _ in
            script.before[.discoveryHead] = [.endless(Array("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n".utf8))]
        },
    ]

    private func isGivenUp(_ flood: Case, _ door: ScriptedGitServer.Door, stands: Bool) async throws {
        let honest = try GitScript(RawCommit(["index.html": "one"]))
        let server = try ScriptedGitServer(door, honest)
        let folder = try TemporaryFolder()
        let arguments = [server.url, folder("www"), "--timeout", "2s", "--deadline", "1s", "--max-pack", "8MB"]
        if stands { #expect(try await Sidekick.once(arguments).status == 0) }
        server.script = try GitScript(RawCommit(["index.html": "two"]))
        let ref = flood.ref.map { ["--ref", $0] } ?? []
        flood.change(&server.script, door)
        let given = try await Sidekick.measured(arguments + ref, ceiling: 500, within: 8)
        #expect([65, 69, 75].contains(given.status), "\(flood.name), \(door): \(given)")
        #expect(
            given.peak < 400 * Sanitizer.toll && given.seconds < 6 * Double(Sanitizer.toll),
            "\(flood.name), \(door): \(given)")
        #expect(given.log.contains("remedy=") && !given.log.contains("report this as a bug"), "\(given)")
        #expect(stands ? try folder.read("www/index.html") == "one" : !folder.has("www"))
        server.script = honest
        let next = try await Sidekick.once(arguments)
        #expect(next.status == 0, "\(flood.name), \(door): \(next.log)")
    }

    @Test(arguments: references)
    func `of references are given up as too many before anything is published`(flood: Case) async throws {
        for door in flood.doors { try await isGivenUp(flood, door, stands: false) }
    }

    @Test(arguments: others)
    func `of all else are given up, the old tree stays, and the next pass works`(flood: Case) async throws {
        for door in flood.doors { try await isGivenUp(flood, door, stands: true) }
    }
}

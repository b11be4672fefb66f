import Foundation
import TestSupport
import Testing

@Suite struct `A server that tells of endless boundaries` {
    private static let count = 10_000

    /// So many ids that nobody has, each another one.
    private static func boundaries(_ round: UInt8, _ door: ScriptedGitServer.Door) -> [UInt8] {
        let start = door.isVersion2 ? Packet.line("shallow-info\n") : []
        var line = Packet.line("shallow \(String(repeating: "e", count: 40))\n")
        let place = line.count - 2
        line[place - 10] = UInt8(ascii: "0") + round
        var bytes = start
        bytes.reserveCapacity(count * line.count + 100)
        for number in 0..<count {
            var rest = number
            for digit in 0..<6 {
                line[place - digit] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            bytes += line
        }
        return bytes + (door.isVersion2 ? Packet.delimiter : Packet.flush)
    }

    private func size(in folder: TemporaryFolder) throws -> Int {
        guard folder.has(".sidekick/www/git/shallow") else { return 0 }
        return try folder.read(".sidekick/www/git/shallow").utf8.count
    }

    @Test(arguments: ScriptedGitServer.Door.allCases)
    func `leaves nothing of them in the store when its pack breaks off, and an honest one is asked as before`(
        door: ScriptedGitServer.Door
    ) async throws {
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "one"])))
        let folder = try TemporaryFolder()
        #expect(try await Sidekick.once([server.url, folder("www")]).status == 0)
        let honest = try #require(server.questions.last { $0.kind == .fetch }?.size)
        let next = try RawCommit(["index.html": "two"])
        for round in 1...3 as ClosedRange<UInt8> {
            var script = try GitScript(next)
            script.instead[.boundaries] = [.bytes(Self.boundaries(round, door))]
            script.instead[.pack] = [.bytes(Packet.band(Array(script.pack.prefix(20)))), .hangUp]
            server.script = script
            let broken = try await Sidekick.measured([server.url, folder("www")], ceiling: 400)
            #expect(broken.status == 69 && broken.peak < 100 * Sanitizer.toll, "\(broken)")
            #expect(try folder.read("www/index.html") == "one")
            try #require(try size(in: folder) < 1_000, "after round \(round)")
        }
        server.script = try GitScript(next)
        let last = try await Sidekick.measured([server.url, folder("www")], ceiling: 400)
        #expect(last.status == 0, "\(last)")
        #expect(try folder.read("www/index.html") == "two")
        let size = try #require(server.questions.last { $0.kind == .fetch }?.size)
        #expect(size < honest + 2_000, "\(size) bytes are asked, \(honest) at first")
    }

    @Test(arguments: [ScriptedGitServer.Door.http2, .git0])
    func `leaves nothing of them in the store when all else is right`(door: ScriptedGitServer.Door) async throws {
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "0"])))
        let folder = try TemporaryFolder()
        for round in 1...3 as ClosedRange<UInt8> {
            var script = try GitScript(RawCommit(["index.html": "\(round)"]))
            script.instead[.boundaries] = [.bytes(Self.boundaries(round, door))]
            server.script = script
            let pass = try await Sidekick.measured([server.url, folder("www")], ceiling: 400)
            #expect(pass.peak < 100 * Sanitizer.toll, "\(pass)")
            // What was not asked for may be refused as well.
            if pass.status == 0 { #expect(try folder.read("www/index.html") == "\(round)") }
            try #require(try [0, 69].contains(pass.status) && size(in: folder) < 1_000, "round \(round): \(pass)")
        }
        server.script = try GitScript(RawCommit(["index.html": "last"]))
        let last = try await Sidekick.once([server.url, folder("www")])
        #expect(try last.status == 0 && folder.read("www/index.html") == "last", "\(last.log)")
        #expect(try #require(server.questions.last { $0.kind == .fetch }?.size) < 3_000)
    }

    @Test(arguments: [ScriptedGitServer.Door.http0, .git0])
    func `leaves nothing of them in the store when they stand among its references`(door: ScriptedGitServer.Door)
        async throws
    {
        let folder = try TemporaryFolder()
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "0"])))
        for round in 1...2 as ClosedRange<UInt8> {
            server.script = try GitScript(RawCommit(["index.html": "\(round)"]))
            server.script.before[.references] = [.bytes(Array(Self.boundaries(round, door).dropLast(4)))]
            let pass = try await Sidekick.measured([server.url, folder("www"), "--depth", "0"], ceiling: 400)
            #expect(pass.peak < 100 * Sanitizer.toll, "\(pass)")
            if pass.status == 0 { #expect(try folder.read("www/index.html") == "\(round)") }
            try #require(try [0, 69].contains(pass.status) && size(in: folder) < 1_000, "round \(round): \(pass)")
        }
        server.script = try GitScript(RawCommit(["index.html": "last"]))
        let last = try await Sidekick.once([server.url, folder("www"), "--depth", "0"])
        #expect(try last.status == 0 && folder.read("www/index.html") == "last", "\(last.log)")
        #expect(try #require(server.questions.last { $0.kind == .fetch }?.size) < 3_000)
    }

    @Test func `is asked in few bytes although its packs hold all of those commits, which nothing leads to`()
        async throws
    {
        let folder = try TemporaryFolder()
        let server = try ScriptedGitServer(.http2, GitScript(RawCommit(["index.html": "0"])))
        for round in 1...3 {
            let site = try RawCommit(["index.html": "\(round)"])
            let tree = site.objects[1].id
            let others = try (0..<3_000).map {
                try RawObject.commit(of: tree, parents: [.unknown($0)], second: round * 10_000 + $0)
            }
            server.script = GitScript(site.id, pack: try PackBytes(site.objects + others).whole())
            server.script.shallow = others.map(\.id)
            let pass = try await Sidekick.measured([server.url, folder("www")], ceiling: 400)
            #expect(pass.status == 0 && pass.peak < 100 * Sanitizer.toll, "\(pass)")
        }
        server.script = try GitScript(RawCommit(["index.html": "last"]))
        #expect(try await Sidekick.once([server.url, folder("www")]).status == 0)
        let asked = try #require(server.questions.last { $0.kind == .fetch }?.size)
        #expect(asked < 100_000, "\(asked) bytes")
    }
}

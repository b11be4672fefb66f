import Foundation
import TestSupport
import Testing

/// The remote is blamed for them, and the store and what it holds are kept.
@Suite struct `Packs that are wrong` {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Sends one on top of a site that stands.
    ///
    /// - Returns: the pass, and what is wrong with it.
    private func send(_ damage: DamagedPack, _ number: Int, _ server: ScriptedGitServer) async throws -> (
        pass: Sidekick.Measured, faults: [String]
    ) {
        let commit = try RawCommit(["index.html": "3", "damaged": "\(number)"])
        server.script = GitScript(commit.id, pack: try damage.bytes(of: commit))
        let pass = try await Sidekick.measured([server.url, folder("www"), "--deadline", "10s"], ceiling: 400)
        var faults: [String] = []
        if pass.peak >= 200 { faults.append("\(pass.peak) MB") }
        if pass.seconds >= 8 { faults.append("\(pass.seconds) s") }
        if pass.log.contains("moved aside") || pass.log.contains("fetched anew") { faults.append("a lost store") }
        return (pass, faults)
    }

    private func order(_ word: String) throws -> Command.Result {
        try Command.run(
            [Sidekick.binary, word], environment: ["PATH": "/usr/bin:/bin", "DESTINATION": folder("www")], mayFail: true
        )
    }

    /// All of them where packs are read at first, and of the other doors some.
    private func damages(_ door: ScriptedGitServer.Door) -> [DamagedPack] {
        let unreadable = DamagedPack.unreadable.enumerated().filter { door == .http2 || $0.offset % 4 == 0 }
        return unreadable.map(\.element) + DamagedPack.incomplete
    }

    @Test(arguments: ScriptedGitServer.Door.allCases)
    func `are blamed on the remote, and a rollback is not lost by them`(door: ScriptedGitServer.Door) async throws {
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "0"])))
        for number in 1...3 {
            server.script = try GitScript(RawCommit(["index.html": "\(number)"]))
            #expect(try await Sidekick.once([server.url, folder("www")]).status == 0)
        }
        var wrong: [String] = []
        for (number, damage) in damages(door).enumerated() {
            var (pass, faults) = try await send(damage, number, server)
            if pass.status != 69 { faults.append("status \(pass.status)") }
            if number < damages(door).count - DamagedPack.incomplete.count, !pass.log.contains("its pack is damaged") {
                faults.append("other words")
            }
            if try folder.read("www/index.html") != "3" || folder.has("www/damaged") { faults.append("another tree") }
            if !faults.isEmpty { wrong.append("\(damage): \(faults.joined(separator: ", ")): \(pass.cause)") }
        }
        #expect(wrong == [])
        let back = try order("rollback")
        #expect(back.status == 0, "\(back.error)")
        #expect(try folder.read("www/index.html") == "2")
        #expect(try order("resume").status == 0)
        server.script = try GitScript(RawCommit(["index.html": "4"]))
        let next = try await Sidekick.once([server.url, folder("www")])
        #expect(next.status == 0, "\(next.log)")
        #expect(try folder.read("www/index.html") == "4")
    }

    @Test(arguments: [ScriptedGitServer.Door.http2, .http0])
    func `in a way of no consequence are refused or taken as a whole`(door: ScriptedGitServer.Door) async throws {
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "3"])))
        #expect(try await Sidekick.once([server.url, folder("www")]).status == 0)
        var wrong: [String] = []
        for (number, damage) in DamagedPack.odd.enumerated() {
            let before = try? folder.read("www/damaged")
            var (pass, faults) = try await send(damage, number, server)
            if ![0, 65, 69].contains(pass.status) { faults.append("status \(pass.status)") }
            if try folder.read("www/index.html") != "3" { faults.append("another tree") }
            if (try? folder.read("www/damaged")) != (pass.status == 0 ? "\(number)" : before) {
                faults.append("half a tree")
            }
            if !faults.isEmpty { wrong.append("\(damage): \(faults.joined(separator: ", ")): \(pass.cause)") }
        }
        #expect(wrong == [])
        server.script = try GitScript(RawCommit(["index.html": "4"]))
        let next = try await Sidekick.once([server.url, folder("www")])
        #expect(next.status == 0, "\(next.log)")
        #expect(try folder.read("www/index.html") == "4")
    }

    @Test(arguments: [ScriptedGitServer.Door.http0, .git2])
    func `at the first fetch are blamed on the remote, and the next one works`(door: ScriptedGitServer.Door)
        async throws
    {
        let site = try RawCommit(["index.html": "1"])
        let server = try ScriptedGitServer(door, GitScript(site))
        var wrong: [String] = []
        for (number, damage) in damages(door).enumerated() {
            server.script.pack = try damage.bytes(of: site)
            let pass = try await Sidekick.measured([server.url, folder("\(number)/www")], ceiling: 400)
            if pass.status != 69 || pass.peak >= 200 || folder.has("\(number)/www") {
                wrong.append("\(damage): status \(pass.status), \(pass.peak) MB: \(pass.cause)")
            }
        }
        #expect(wrong == [])
        server.script = try GitScript(site)
        for number in [0, 5] {
            let next = try await Sidekick.once([server.url, folder("\(number)/www")])
            #expect(next.status == 0, "\(next.log)")
        }
    }

    @Test func `by the length of their chains alone are taken`() async throws {
        var pack = PackBytes()
        // Each is the one before and one letter more.
        var (start, size) = (pack.offset, 1)
        pack.add(try RawObject.blob("x"))
        for _ in 0..<2_000 {
            var delta = Delta(from: size, to: size + 1)
            delta.copy(from: 0, count: size)
            delta.insert("x")
            let here = pack.offset
            pack.add(delta, back: here - start)
            (start, size) = (here, size + 1)
        }
        let text = String(repeating: "x", count: size)
        let site = try RawCommit(["index.html": text])
        for object in site.objects where object.kind != .blob { pack.add(object) }
        let server = try ScriptedGitServer(.http2, GitScript(site.id, pack: pack.whole()))
        let pass = try await Sidekick.measured([server.url, folder("www")], ceiling: 400)
        #expect(pass.status == 0 && pass.peak < 200 * Sanitizer.toll, "\(pass)")
        #expect(try folder.read("www/index.html") == text)
    }
}

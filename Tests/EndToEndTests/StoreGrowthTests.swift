import Foundation
import TestSupport
import Testing

@Suite struct `A server whose packs are of no use` {
    private static let passes = 14

    /// What is wrong with an answer.
    enum Fault: Sendable {
        /// The commit that was asked for is not in the pack.
        case another
        /// All is right, but something follows the end.
        case bytesBehind
        /// It is the commit that was asked for, and cannot be published.
        case refused
    }

    /// A pack of 0.9 MB, another one each time.
    private static func script(_ number: Int, _ fault: Fault) throws -> GitScript {
        let random = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
        let noise = Array(try #require(try random.read(upToCount: 900_000)))
        let page = try RawObject.blob("other \(number)")
        let row = RawObject.row("100644", "index.html", page.id)
        let tree = try RawObject.tree(fault == .refused ? [row, row] : [row])
        let commit = try RawObject.commit(of: tree.id)
        let pack = PackBytes([page, tree, commit, try RawObject(.blob, noise)])
        var script = GitScript(fault == .another ? .unknown(number) : commit.id, pack: try pack.whole())
        if fault == .bytesBehind { script.instead[.end] = [.bytes(Packet.flush + Packet.line("more"))] }
        return script
    }

    private func bytes(in folder: String) -> Int {
        var sum = 0
        for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
            var status = stat()
            if lstat(folder + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                sum += Int(status.st_size)
            }
        }
        return sum
    }

    @Test(arguments: [
        (ScriptedGitServer.Door.http2, Fault.another, false), (.http2, .another, true), (.http2, .bytesBehind, false),
        (.http2, .refused, false), (.http2, .refused, true),
        (.git0, .another, false),
    ])
    func `does not fill the disk, before the first publish or after it`(
        door: ScriptedGitServer.Door, fault: Fault, stands: Bool
    ) async throws {
        let site = try RawCommit(["index.html": "one"])
        let server = try ScriptedGitServer(door, GitScript(site))
        let folder = try TemporaryFolder()
        let sidekick = try await daemon(server, folder, fault, stands: stands)
        var sizes: [Int] = []
        for number in 1...Self.passes {
            let count = server.questions.count { $0.kind == .fetch }
            server.script = try Self.script(number, fault)
            sidekick.send(SIGHUP)
            try await eventually("pass \(number) is over\n\(sidekick.log)") {
                server.questions.count { $0.kind == .fetch } > count
            }
            sizes.append(bytes(in: folder(".sidekick/www")))
        }
        #expect(sizes.max() ?? 0 < 12_000_000, "\(sizes)")
        let cause =
            switch fault {
            case .another: "was advertised and then not delivered"
            case .bytesBehind: "its answer is malformed"
            case .refused: "lists the name index.html twice"
            }
        #expect(sidekick.log.contains(cause), "\(sidekick.log)")
        #expect(!sidekick.log.contains("compaction failed"), "\(sidekick.log)")
        server.script = try GitScript(RawCommit(["index.html": "two"]))
        sidekick.send(SIGHUP)
        try await eventually("an honest pack is published\n\(sidekick.log)") {
            (try? folder.read("www/index.html")) == "two"
        }
        #expect(try await sidekick.stop() == 0)
    }

    private func daemon(
        _ server: ScriptedGitServer, _ folder: TemporaryFolder, _ fault: Fault, stands: Bool
    ) async throws -> Sidekick {
        if !stands { server.script = try Self.script(0, fault) }
        let sidekick = try Sidekick([
            server.url, folder("www"), "--max-pack", "1MB", "--delay", "30s", "--backoff", "30s",
        ])
        try await sidekick.prints(stands ? "published" : "pass failed")
        return sidekick
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `A server that gives another pack than the one that is asked for` {
    private static let passes = 16

    /// A pack of 0.9 MB, another one each time.
    private static func pack(_ number: Int) throws -> [UInt8] {
        let random = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
        let noise = Array(try #require(try random.read(upToCount: 900_000)))
        var commit = PackBytes(try RawCommit(["index.html": "other \(number)"]).objects)
        commit.add(try RawObject(.blob, noise))
        return try commit.whole()
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

    @Test(arguments: [(ScriptedGitServer.Door.http2, false), (.http2, true), (.http0, false), (.git0, false)])
    func `does not fill the disk, before the first publish or after it`(door: ScriptedGitServer.Door, stands: Bool)
        async throws
    {
        let site = try RawCommit(["index.html": "one"])
        let server = try ScriptedGitServer(door, GitScript(site))
        let folder = try TemporaryFolder()
        let sidekick = try await daemon(server, folder, stands: stands)
        var sizes: [Int] = []
        for number in 1...Self.passes {
            let count = server.questions.count { $0.kind == .fetch }
            server.script = GitScript(.unknown(number), pack: try Self.pack(number))
            sidekick.send(SIGHUP)
            try await eventually("pass \(number) is over\n\(sidekick.log)") {
                server.questions.count { $0.kind == .fetch } > count
            }
            sizes.append(bytes(in: folder(".sidekick/www")))
        }
        #expect(sizes.max() ?? 0 < 12_000_000, "\(sizes)")
        #expect(sidekick.log.contains("was advertised and then not delivered"), "\(sidekick.log)")
        #expect(!sidekick.log.contains("compaction failed"), "\(sidekick.log)")
        server.script = try GitScript(RawCommit(["index.html": "two"]))
        sidekick.send(SIGHUP)
        try await eventually("an honest pack is published\n\(sidekick.log)") {
            (try? folder.read("www/index.html")) == "two"
        }
        #expect(try await sidekick.stop() == 0)
    }

    private func daemon(_ server: ScriptedGitServer, _ folder: TemporaryFolder, stands: Bool) async throws -> Sidekick {
        if !stands { server.script = GitScript(.unknown(0), pack: try Self.pack(0)) }
        let sidekick = try Sidekick([
            server.url, folder("www"), "--max-pack", "1MB", "--delay", "30s", "--backoff", "30s",
        ])
        try await sidekick.prints(stands ? "published" : "pass failed")
        return sidekick
    }
}

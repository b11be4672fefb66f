import Foundation
import TestSupport
import Testing

@Suite struct `Large files` {
    /// It is copied to the store, and written from there, in pieces.
    @Test func `four hundred megabytes are published, and are never in memory`() async throws {
        let megabytes = 400
        let source = try GitRepository()
        try source.folder.write("", to: "zeros")
        truncate(source.folder("zeros"), megabytes << 20)
        try source.git("-c", "core.compression=1", "add", "zeros")
        try source.commit([:])
        let folder = try TemporaryFolder()
        let start = ContinuousClock.now
        let sidekick = try Sidekick([source.path, folder("www"), "--delay", "60s", "--layout", "link"])
        try await sidekick.prints("published", within: 60)
        let time = ContinuousClock.now - start
        let status = try String(contentsOfFile: "/proc/\(sidekick.pid)/status", encoding: .utf8)
        let peak = try #require(status.firstMatch(of: /VmHWM:\s+([0-9]+) kB/).flatMap { Int($0.1) }) >> 10
        #expect(try await sidekick.stop() == 0)
        print("\(megabytes) MB: peak \(peak) MB, \(time)")
        #expect(peak < 64 * Sanitizer.toll, "\(peak) MB")
        try Command.run(["cmp", source.folder("zeros"), folder("www/zeros")])
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `The memory that the page on publishing names` {
    /// Bytes, as the page has it.
    private static func bound(blob: Int, files: Int) -> Int { 200_000_000 + 2 * blob + 2_000 * files }

    @Test func `stands there as it is tested`() throws {
        let page = try String(contentsOfFile: Nginx.project + "/docs/publishing.md", encoding: .utf8)
        #expect(page.contains("200 MB  +  2 x SIDEKICK_MAX_BLOB  +  2 kB x SIDEKICK_MAX_FILES"))
    }

    @Test func `is enough for a site that just fits, at its first publish and at an update of what is large`()
        async throws
    {
        let (files, blob) = (20_000, 20_000_000)
        let remote = try await HTTPRemote(["index.html": "one"])
        func script(_ number: Int) -> Data {
            var script = "commit refs/heads/main\ncommitter T <t@example.org> \(1_700_000_000 + number) +0000\ndata 0\n"
            if number == 0 { script += "from refs/heads/main^0\n" }
            let line = (0..<100).map { "\($0 * 7_919) some words that compress a little " }.joined()
            let large = String(repeating: line, count: (blob - 100) / line.utf8.count) + "\(number)"
            script += "M 100644 inline large\ndata \(large.utf8.count)\n\(large)\n"
            if number == 0 {
                let long = String(repeating: "x", count: 200)
                for file in 0..<files - 10 {
                    script += "M 100644 inline d\(file % 100)/\(long)\(file)\ndata 5\n\(10_000 + file)\n"
                }
            }
            return Data(script.utf8)
        }
        let environment = GitRepository.environment()
        let folder = try TemporaryFolder()
        for number in 0..<2 {
            try Command.run(
                ["git", "fast-import", "--quiet", "--force"], in: remote.bare, environment: environment,
                input: script(number))
            if number == 1 { try Command.run(["git", "repack", "-adfq"], in: remote.bare, environment: environment) }
            let pass = try await Sidekick.measured([
                remote.url(), folder("www"), "--max-files", "\(files)", "--max-blob", "\(blob)",
            ])
            #expect(pass.status == 0, "\(pass)")
            #expect(
                pass.peak < Self.bound(blob: blob, files: files) / 1_000_000 * Sanitizer.toll,
                "\(number): \(pass.peak) MB")
        }
    }
}

import Foundation
import TestSupport
import Testing

/// All are refused for what they are, in little memory, and what is pushed on top of them is published.
@Suite struct `Objects that are far too large` {
    @Test(arguments: LargeObject.allCases)
    func `are refused with the bound that they break, in little memory, and the next commit is published`(
        object: LargeObject
    ) async throws {
        let server = try ScriptedGitServer(.http2, GitScript(object.site))
        let folder = try TemporaryFolder()
        let arguments = [
            server.url, folder("www"), "--max-pack", "64MB", "--max-blob", "1MB", "--max-size", "10MB", "--max-files",
            "1000",
        ]
        #expect(try await Sidekick.once(arguments).status == 0)
        server.script = try object.script()
        let refused = try await Sidekick.measured(arguments, ceiling: 300)
        // One that is not what its entry says is damaged as well.
        #expect(refused.status == 65 || object == .liar && refused.status == 69, "\(refused)")
        #expect(refused.peak < 256 * Sanitizer.toll, "\(refused)")
        let bound = /SIDEKICK_MAX_[A-Z]+|[0-9]+ ?(bytes|kB|MB|KiB|MiB)/
        #expect(refused.status == 69 || refused.log.firstMatch(of: bound) != nil, "\(refused)")
        #expect(refused.log.contains("remedy=") && !refused.log.contains("moved aside"), "\(refused)")
        #expect(try folder.read("www/index.html") == "one")
        server.script = try GitScript(RawCommit(["index.html": "two"]))
        let next = try await Sidekick.measured(arguments, ceiling: 300)
        #expect(next.status == 0 && next.peak < 256 * Sanitizer.toll, "\(next)")
        #expect(try folder.read("www/index.html") == "two")
    }

    @Test func `do not follow a site: after a root tree of a million rows each pass is as small as before`()
        async throws
    {
        let server = try ScriptedGitServer(.http0, GitScript(RawCommit(["index.html": "0"])))
        let folder = try TemporaryFolder()
        let arguments = [server.url, folder("www"), "--max-files", "1000"]
        #expect(try await Sidekick.once(arguments).status == 0)
        server.script = try LargeObject.tree.script()
        let refused = try await Sidekick.measured(arguments)
        #expect(refused.status == 65 && refused.log.contains("SIDEKICK_MAX_FILES"), "\(refused)")
        #expect(refused.peak < 200 * Sanitizer.toll, "\(refused)")
        for number in 1...2 {
            server.script = try GitScript(RawCommit(["index.html": "\(number)"]))
            let next = try await Sidekick.measured(arguments)
            #expect(next.status == 0 && next.peak < 200 * Sanitizer.toll, "\(next)")
            #expect(try folder.read("www/index.html") == "\(number)")
        }
    }
}

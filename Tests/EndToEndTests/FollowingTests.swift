import Foundation
import TestSupport
import Testing

@Suite struct `Following a repository` {
    @Test(arguments: ["link", "folder"])
    func `the first pass publishes and the next ones follow`(layout: String) async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one", "css/site.css": "body {}", "old/page.html": "gone soon"])
        let folder = try TemporaryFolder()
        let arguments = [source.path, folder("www"), "--layout", layout]
        var result = try await Sidekick.once(arguments)
        #expect(result.status == 0, "\(result.log)")
        #expect(try differences(folder("www"), from: source.path, "HEAD") == [])
        try source.commit(["index.html": "two", "old/page.html": nil, "new/deep/page.html": "hello"])
        result = try await Sidekick.once(arguments)
        #expect(result.status == 0, "\(result.log)")
        #expect(try differences(folder("www"), from: source.path, "HEAD") == [])
        #expect(!folder.has("www/old"))
    }
}

import Foundation
import TestSupport
import Testing

/// In Chromium, without a window.
@Suite struct `What a browser says` {
    @Test func `the site of the example is shown without an error, by nginx with web.conf`() async throws {
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        try Command.run(["cp", "-r", Nginx.project + "/Examples/site/.", source.path])
        try source.commit([:])
        #expect(try await Sidekick.once([source.path, folder("www")]).status == 0)
        let nginx = try await Nginx(serving: folder("www"))
        let page = try Chromium().load("http://127.0.0.1:\(nginx.port)/")
        #expect(page.console == [])
        #expect(page.document.contains("</h1>"))
    }

    @Test func `the status page runs nothing, breaks no policy and fits a telephone, whatever it has to tell`()
        async throws
    {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let port = try freePort()
        let sidekick = try Sidekick([source.path, folder("www"), "--delay", "1h", "--listen", "127.0.0.1:\(port)"])
        try await eventually("it is published") { folder.has("www/index.html") }
        let long = (0..<30).map { "a-folder-with-a-long-name/and-one-below-it/page-number-\($0)-of-many.html" }
        try source.commit(
            Dictionary(uniqueKeysWithValues: long.map { ($0, "x") }),
            message: "A subject that goes on and on, with <b>tags</b> and a word that is "
                + String(repeating: "long", count: 30))
        sidekick.send(SIGHUP)
        try await eventually("the update is shown") { try get(port, "/").text.contains("and 10 more") }
        let answer = try get(port, "/")
        let browser = try Chromium()
        let page = try browser.load("http://127.0.0.1:\(port)/")
        #expect(page.console == [])
        #expect(page.document.contains("What changed") && page.document.contains("&lt;b&gt;tags&lt;/b&gt;"))
        for width in [390, 1_280] { #expect(try browser.overflow(of: answer.text, width: width) <= 0, "\(width)") }
    }

    /// A committer's clock says any number at all.
    @Test(arguments: [Int64.max, 253_402_300_800, -1])
    func `the status tells of a commit of an absurd time`(time: Int64) throws {
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        try source.commit(["index.html": "one"])
        let who = "A <a@b> \(time) +0000"
        let text = "tree \(try source.git("rev-parse", "HEAD^{tree}"))\nauthor \(who)\ncommitter \(who)\n\nOdd\n"
        let id = try source.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", input: Data(text.utf8))
        try source.git("update-ref", "refs/heads/main", id)
        let once = try Command.run([Sidekick.binary, source.path, folder("www"), "--once"], mayFail: true)
        #expect(once.status == 0, "\(once.error)")
        let status = try Command.run(
            [Sidekick.binary, "status", "--json", "--destination", folder("www")], mayFail: true)
        #expect(status.text.contains("\"subject\" : \"Odd\""), "\(status.text)")
    }
}

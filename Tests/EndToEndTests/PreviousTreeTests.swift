import Foundation
import TestSupport
import Testing

@Suite struct `Assets of the tree before` {
    private struct Deploy {
        let source: GitRepository
        let commits: [String]
        let folder: TemporaryFolder

        init() throws {
            source = try GitRepository()
            folder = try TemporaryFolder()
            commits = try source.history([
                [
                    "index.html": "<script src=app.1.js>", "app.1.js": "one", "css/site.1.css": "one", "both.js": "old",
                    "old.html": "old", ".hidden.js": "old", ".well-known/old.js": "old", ".assets/old.js": "old",
                    "turns.js": "old",
                ],
                [
                    "index.html": "<script src=app.2.js>", "app.1.js": nil, "app.2.js": "two", "css/site.1.css": nil,
                    "both.js": "new", "old.html": nil, ".hidden.js": nil, ".well-known/old.js": nil,
                    ".assets/old.js": nil, "turns.js": nil, "turns.js/index.html": "new",
                ],
            ])
            try source.push(commits[0])
        }

        func arguments(_ layout: String) -> [String] {
            [source.path, folder("www"), "--layout", layout, "--delay", "1h"]
        }
    }

    @Test(arguments: ["link", "exchange"])
    func `assets that loaded pages still ask for are served, pages and dotfiles of it are not`(layout: String)
        async throws
    {
        let deploy = try Deploy()
        #expect(try await Sidekick.once(deploy.arguments(layout)).status == 0)
        let nginx = try await Nginx(serving: deploy.folder("www"))
        #expect(try get(nginx.port, "/app.1.js").text == "one")
        let tag = try get(nginx.port, "/app.1.js").headers["etag"]
        #expect(try get(nginx.port, "/.hidden.js").status == 404)
        try deploy.source.push(deploy.commits[1])
        #expect(try await Sidekick.once(deploy.arguments(layout)).status == 0)
        for (path, text) in ["app.1.js": "one", "css/site.1.css": "one", "both.js": "new", "app.2.js": "two"] {
            let answer = try get(nginx.port, "/" + path)
            #expect(answer.status == 200 && answer.text == text, "\(path): \(answer.status) \(answer.text)")
        }
        #expect(try get(nginx.port, "/").text == "<script src=app.2.js>")
        let again = try get(nginx.port, "/app.1.js")
        #expect(again.headers["etag"] == tag && again.headers["cache-control"] == "no-cache")
        for path in ["old.html", ".hidden.js", ".assets/old.js", "never.js", "app.1.js/", "..%2fprevious/app.1.js"] {
            let status = try get(nginx.port, "/" + path).status
            #expect([400, 404].contains(status), "\(path): \(status)")
        }
        // Of two trees before, nothing: one more update that leaves app.2.js out of sight.
        try deploy.source.push(try deploy.source.history([["index.html": "third"]])[0])
        #expect(try await Sidekick.once(deploy.arguments(layout)).status == 0)
        #expect(try get(nginx.port, "/app.2.js").text == "two")
        #expect(try get(nginx.port, "/app.1.js").status == 404)
    }

    @Test(arguments: ["link", "exchange", "folder"])
    func `they end when SIDEKICK_KEEP_PREVIOUS is over, and never begin in a folder`(layout: String) async throws {
        let deploy = try Deploy()
        let sidekick = try Sidekick(deploy.arguments(layout) + ["--keep-previous", "5s", "--grace", "100ms"])
        try await sidekick.prints("published")
        let nginx = try await Nginx(serving: deploy.folder("www"))
        let start = Date()
        try deploy.source.push(deploy.commits[1])
        sidekick.send(SIGHUP)
        try await eventually("the update") { try get(nginx.port, "/app.2.js").status == 200 }
        if layout != "folder" { #expect(try get(nginx.port, "/app.1.js").text == "one") }
        try await eventually(within: 30, "the old asset ends") { try get(nginx.port, "/app.1.js").status == 404 }
        if layout != "folder" { #expect(Date().timeIntervalSince(start) > 5) }
        #expect(try get(nginx.port, "/app.2.js").text == "two")
        #expect(try get(nginx.port, "/both.js").text == "new")
        #expect(try await sidekick.stop() == 0)
    }
}

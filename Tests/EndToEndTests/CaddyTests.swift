import Foundation
import TestSupport
import Testing

/// deploy/web/Caddyfile, of which the address and the folders are replaced.
@Suite struct `Caddy in the place of nginx` {
    private struct Site {
        let source: GitRepository
        let folder: TemporaryFolder
        let port: UInt16
        private let caddy: ChildProcess

        init(_ files: [String: String?]) async throws {
            (source, folder, port) = (try GitRepository(), try TemporaryFolder(), try freePort())
            try source.commit(files)
            let text = try String(contentsOfFile: Nginx.project + "/deploy/web/Caddyfile", encoding: .utf8)
                .replacingOccurrences(of: "\n:8080 {", with: "\nhttp://:\(port) {\n\tbind 127.0.0.1")
                .replacingOccurrences(of: "/srv/", with: folder.path + "/")
            try folder.write(text, to: "Caddyfile")
            caddy = try ChildProcess(
                ["caddy", "run", "--config", folder("Caddyfile"), "--adapter", "caddyfile"],
                environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path], error: folder("log"))
            try await publish([:])
            let (caddy, port, folder) = (caddy, port, folder)
            try await eventually("caddy listens") {
                guard caddy.status == nil else { throw TestFailure("caddy: \((try? folder.read("log")) ?? "")") }
                return (try? connected(to: port)).map { close($0) } != nil
            }
        }

        func publish(_ files: [String: String?]) async throws {
            if !files.isEmpty { try source.commit(files) }
            let result = try await Sidekick.once([
                source.path, folder("www"), "--compress", "gzip", "--mtime", "content",
            ])
            #expect(result.status == 0, "\(result.log)")
        }

        func ask(_ path: String, _ headers: [String: String] = [:]) throws -> HTTPAnswer {
            try get(port, path, headers: headers)
        }
    }

    private static let long = String(repeating: "<p>words and more words</p>\n", count: 200)

    @Test func `pages, what is hidden, what is not there, and what comes compressed`() async throws {
        let site = try await Site([
            "index.html": Self.long, "404.html": "nothing here", ".hidden": "x", ".well-known/security.txt": "y",
            "_redirects": "/a /b", "folder/index.html": "below",
        ])
        let page = try site.ask("/")
        #expect(page.status == 200 && page.text == Self.long && page.headers["last-modified"] == nil)
        #expect(page.headers["cache-control"] == "no-cache")
        let packed = try site.ask("/index.html", ["Accept-Encoding": "gzip"])
        let size = try Data(contentsOf: URL(fileURLWithPath: site.folder("www/index.html.gz"))).count
        #expect(packed.headers["content-encoding"] == "gzip" && packed.body.count == size)
        let tag = try #require(page.headers["etag"])
        #expect(try site.ask("/", ["If-None-Match": tag]).status == 304)
        for path in ["/.hidden", "/_redirects", "/nope"] {
            let answer = try site.ask(path)
            #expect(answer.status == 404 && answer.text == "nothing here", "\(path)")
        }
        #expect(try site.ask("/.well-known/security.txt").text == "y" && site.ask("/folder/").text == "below")
    }

    @Test func `an update shows as a whole, and assets of the tree before stay`() async throws {
        let site = try await Site(["index.html": "one", "old.css": "old"])
        #expect(try site.ask("/").text == "one")
        try await site.publish(["index.html": "two", "old.css": nil, "new.css": "new"])
        #expect(try site.ask("/").text == "two" && site.ask("/new.css").text == "new")
        let old = try site.ask("/old.css")
        #expect(old.status == 200 && old.text == "old")
        #expect(try site.ask("/old.html").status == 404)
    }
}

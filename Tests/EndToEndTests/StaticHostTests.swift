import Foundation
import TestSupport
import Testing

/// What people know from other hosts of static sites, from web.conf and the files of deploy/web.
@Suite struct `A site as people expect it` {
    private static let layouts = ["link", "exchange", "folder"]

    private struct Site {
        let source: GitRepository
        let folder: TemporaryFolder
        let nginx: Nginx
        let layout: String

        /// - Parameter additions: names of files of deploy/web.
        init(_ files: [String: String?], layout: String = "link", adding additions: [String] = []) async throws {
            (source, folder) = (try GitRepository(), try TemporaryFolder())
            self.layout = layout
            try source.commit(files)
            #expect(try await Sidekick.once([source.path, folder("www"), "--layout", layout]).status == 0)
            let folder = folder
            let text = try additions.map {
                try String(contentsOfFile: Nginx.project + "/deploy/web/\($0).conf", encoding: .utf8)
                    .replacingOccurrences(of: "/etc/nginx/pair.d/htpasswd", with: folder("htpasswd"))
            }
            nginx = try await Nginx(serving: folder("www"), adding: text.joined(separator: "\n"))
        }

        func update(_ files: [String: String?]) async throws {
            try source.commit(files)
            #expect(try await Sidekick.once([source.path, folder("www"), "--layout", layout]).status == 0)
        }

        func ask(_ path: String, _ headers: [String: String] = [:]) throws -> HTTPAnswer {
            try get(nginx.port, path, headers: headers)
        }
    }

    private static let long = String(repeating: "<p>words and more words</p>\n", count: 200)

    @Test func `text is compressed for whoever takes that, and revalidates`() async throws {
        let site = try await Site([
            "index.html": Self.long, "site.css": Self.long, "app.js": Self.long, "app.mjs": Self.long,
            "icon.svg": Self.long, "feed.xml": Self.long, "data.json": Self.long, "site.webmanifest": Self.long,
            "module.wasm": Self.long, "notes.txt": Self.long, "picture.png": Self.long, "short.html": "short",
            "given.html": Self.long, "given.html.gz": "given",
        ])
        let gzip = ["Accept-Encoding": "gzip, deflate, br"]
        for name in [
            "index.html", "site.css", "app.js", "app.mjs", "icon.svg", "feed.xml", "data.json", "site.webmanifest",
            "module.wasm", "notes.txt",
        ] {
            let plain = try site.ask("/" + name)
            let packed = try site.ask("/" + name, gzip)
            #expect(plain.headers["content-encoding"] == nil && plain.text == Self.long, "\(name)")
            #expect(packed.headers["content-encoding"] == "gzip", "\(name)")
            #expect(
                packed.headers["vary"] == "Accept-Encoding" && plain.headers["vary"] == "Accept-Encoding", "\(name)")
            let (tag, weak) = (try #require(plain.headers["etag"]), try #require(packed.headers["etag"]))
            #expect(weak == "W/" + tag, "\(name)")
            for known in [tag, weak] {
                let again = try site.ask("/" + name, gzip.merging(["If-None-Match": known]) { $1 })
                #expect(again.status == 304, "\(name)")
            }
        }
        for name in ["picture.png", "short.html"] {
            #expect(try site.ask("/" + name, gzip).headers["content-encoding"] == nil, "\(name)")
        }
        // What the repository has is given as it is.
        #expect(try site.ask("/given.html", gzip).text == "given")
    }

    @Test func `every kind of file has its type, and text says that it is UTF-8`() async throws {
        let types = [
            "index.html": "text/html; charset=utf-8", "a.css": "text/css; charset=utf-8",
            "a.mjs": "text/javascript; charset=utf-8", "a.txt": "text/plain; charset=utf-8",
            "a.json": "application/json; charset=utf-8", "a.svg": "image/svg+xml; charset=utf-8",
            "a.webmanifest": "application/manifest+json; charset=utf-8", "a.wasm": "application/wasm",
            "a.avif": "image/avif", "a.webp": "image/webp", "a.woff2": "font/woff2", "a.png": "image/png",
        ]
        let site = try await Site(types.mapValues { _ in "x" }.merging(["a.js": "x"]) { $1 })
        for (name, type) in types { #expect(try site.ask("/" + name).headers["content-type"] == type, "\(name)") }
        let script = try site.ask("/a.js").headers["content-type"]
        #expect(["application/javascript; charset=utf-8", "text/javascript; charset=utf-8"].contains(script))
    }

    @Test(arguments: layouts)
    func `what is not there is the site's own page, where it has one`(layout: String) async throws {
        let site = try await Site(
            [
                "index.html": "front", "404.html": "ours: not there", "_redirects": "/a /b", "_headers": "x",
                "a/_headers": "y",
            ],
            layout: layout)
        for path in ["/none", "/none/", "/.hidden", "/404.html", "/_redirects", "/_headers"] {
            let answer = try site.ask(path)
            #expect(answer.status == 404 && answer.text == "ours: not there", "\(path): \(answer)")
            #expect(answer.headers["x-content-type-options"] == "nosniff")
        }
        #expect(try site.ask("/a/_headers").text == "y", "elsewhere it is a file like any other")
        let asset = try site.ask("/none.css")
        #expect(asset.status == 404 && !asset.text.contains("ours"), "nobody looks at it")
        try await site.update(["404.html": nil])
        let bare = try site.ask("/none")
        #expect(bare.status == 404 && bare.text.contains("404 Not Found"))
    }

    @Test(arguments: layouts)
    func `addresses without .html, and those of folders`(layout: String) async throws {
        let site = try await Site(
            [
                "index.html": "front", "about.html": "about", "blog/index.html": "blog", "blog/one.html": "one",
                "404.html": "ours", "old.css": "old",
            ], layout: layout, adding: ["clean-urls"])
        for (path, text) in [
            ("/about", "about"), ("/about.html", "about"), ("/blog/", "blog"), ("/blog/one", "one"), ("/", "front"),
        ] {
            let answer = try site.ask(path)
            #expect(answer.status == 200 && answer.text == text, "\(path): \(answer)")
            #expect(
                answer.headers["content-type"] == "text/html; charset=utf-8"
                    && answer.headers["cache-control"] == "no-cache")
        }
        #expect(try site.ask("/blog").status == 301)
        for path in ["/none", "/none/", "/about/"] {
            let answer = try site.ask(path)
            #expect(answer.status == 404 && answer.text == "ours", "\(path)")
        }
        try await site.update(["old.css": nil, "about.html": "about, anew"])
        #expect(try site.ask("/about").text == "about, anew")
        #expect(try site.ask("/old.css").text == "old" || layout == "folder", "an asset of the tree before")
    }

    @Test(arguments: layouts)
    func `an application of one page has every address but those of assets`(layout: String) async throws {
        let site = try await Site(
            ["index.html": "app", "app.js": "code"], layout: layout, adding: ["single-page"])
        for path in ["/", "/people/7", "/people/7/"] {
            let answer = try site.ask(path)
            #expect(answer.status == 200 && answer.text == "app", "\(path)")
        }
        #expect(try site.ask("/gone.js").status == 404 && site.ask("/app.js").text == "code")
    }

    @Test(arguments: layouts)
    func `assets that never change are kept, those of the tree before are there`(layout: String) async throws {
        let site = try await Site(
            ["index.html": "front", "assets/a.123.js": "a", "other.js": "o"], layout: layout, adding: ["immutable"])
        let asset = try site.ask("/assets/a.123.js")
        #expect(asset.headers["cache-control"] == "public, max-age=31536000, immutable")
        for name in ["x-content-type-options", "x-frame-options", "referrer-policy"] {
            #expect(asset.headers[name] != nil, "\(name)")
        }
        #expect(asset.headers["last-modified"] == nil)
        #expect(try site.ask("/other.js").headers["cache-control"] == "no-cache")
        try await site.update(["assets/a.123.js": nil, "assets/b.456.js": "b"])
        #expect(try site.ask("/assets/b.456.js").text == "b")
        #expect(try site.ask("/assets/a.123.js").text == "a" || layout == "folder")
    }

    /// A crowd that takes gzip and one that does not, and somebody who looks at what comes: no page is ever older than the one before.
    @Test(arguments: layouts)
    func `every rule stays true while the site is switched under a crowd`(layout: String) async throws {
        func files(_ version: Int) -> [String: String?] {
            let page = "<!-- version \(version) -->\n" + Self.long
            let old: [String: String?] = version > 1 ? ["assets/\(version - 1).css": nil] : [:]
            return [
                "index.html": page, "about.html": page, "blog/index.html": page, "assets/\(version).css": page,
                "same.js": Self.long,
            ].merging(old) { $1 }
        }
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        try source.commit(files(1))
        let additions = try ["clean-urls", "immutable", "content-security-policy"].map {
            try String(contentsOfFile: Nginx.project + "/deploy/web/\($0).conf", encoding: .utf8)
        }
        let sidekick = try Sidekick(
            [
                source.path, folder("www"), "--layout", layout, "--delay", "1h", "--compress", "gzip", "--mtime",
                "content",
            ])
        try await eventually("it has its compressed files") { folder.has("www/about.html.gz") }
        let nginx = try await Nginx(serving: folder("www"), adding: additions.joined(separator: "\n"))
        let paths = ["/", "/about", "/about.html", "/blog/", "/same.js"]
        let crowds = try [true, false].map { try Wrk(nginx.port, paths: paths, connections: 2, takesGzip: $0) }
        func version(_ path: String, gzip: Bool) throws -> Int {
            let answer = try get(nginx.port, path, headers: gzip ? ["Accept-Encoding": "gzip"] : [:])
            guard answer.status == 200 else { throw TestFailure("\(path): \(answer.status)") }
            #expect((answer.headers["content-encoding"] == "gzip") == gzip, "\(path)")
            let text = gzip ? try Command.run(["gzip", "-dc"], input: answer.body).text : answer.text
            guard let match = text.firstMatch(of: /version (\d+)/), let number = Int(match.1) else {
                throw TestFailure("\(path): \(text.prefix(80))")
            }
            return number
        }
        for number in 2...12 {
            try source.commit(files(number))
            var seen: [String: Int] = [:]
            let end = Date().addingTimeInterval(20)
            while seen.values.contains(where: { $0 < number }) || seen.isEmpty {
                guard Date() < end else { throw TestFailure("version \(number) does not show: \(sidekick.log)") }
                for path in paths.dropLast() {
                    for gzip in [false, true, false] {
                        let found = try version(path, gzip: gzip)
                        #expect(found >= seen[path] ?? 0, "\(path), gzip \(gzip), of \(number)")
                        seen[path] = found
                    }
                }
            }
            // A page that was loaded before asks for its own assets.
            if layout != "folder" { #expect(try get(nginx.port, "/assets/\(number - 1).css").status == 200) }
        }
        for crowd in crowds {
            let count = try await crowd.end()
            #expect(count.failures == [:] && count.requests > 100, "\(count)")
        }
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `a login, a policy and one name, all three together`() async throws {
        let site = try await Site(
            ["index.html": "front", "404.html": "ours"],
            adding: ["basic-auth", "content-security-policy", "canonical-host"])
        let hash = try Command.run(["openssl", "passwd", "-apr1", "s3cr3t"]).text
        try site.folder.write("reader:\(hash)", to: "htpasswd")
        let host = ["Host": "www.example.org"]
        let login = ["Authorization": "Basic " + Data("reader:s3cr3t".utf8).base64EncodedString()]
        let elsewhere = try site.ask("/a?b=c", ["Host": "example.org"])
        #expect(elsewhere.status == 301 && elsewhere.headers["location"] == "https://www.example.org/a?b=c")
        #expect(try site.ask("/", host).status == 401)
        let front = try site.ask("/", host.merging(login) { $1 })
        #expect(front.status == 200 && front.text == "front")
        #expect(front.headers["content-security-policy"]?.hasPrefix("default-src 'self'") == true)
        #expect(front.headers["x-content-type-options"] == "nosniff")
        #expect(try site.ask("/_sidekick/ready").status == 204, "a balancer has no login and no name")
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `The web server's side` {
    private func published(_ files: [String: String?], mtime: String = "content") async throws -> (
        GitRepository, TemporaryFolder, Nginx
    ) {
        let source = try GitRepository()
        try source.commit(files)
        let folder = try TemporaryFolder()
        #expect(try await Sidekick.once([source.path, folder("www"), "--mtime", mtime]).status == 0)
        return (source, folder, try await Nginx(serving: folder("www")))
    }

    @Test func `an index is served, dotfiles are not, but for what is well known`() async throws {
        let (source, folder, nginx) = try await published([
            "index.html": "front", "docs/index.html": "docs", ".hidden": "no", ".well-known/security.txt": "yes",
            "a/.htaccess": "no", ".well-known-not/x": "no",
        ])
        #expect(try get(nginx.port, "/").text == "front")
        #expect(try get(nginx.port, "/docs/").text == "docs")
        #expect(try get(nginx.port, "/.well-known/security.txt").text == "yes")
        for path in ["/.hidden", "/a/.htaccess", "/.well-known-not/x", "/.git/config", "/.sidekick/www/status.json"] {
            #expect(try get(nginx.port, path).status == 404, "\(path)")
        }
        withExtendedLifetime((source, folder)) {}
    }

    @Test func `a browser revalidates by ETag, and unchanged files keep theirs across updates`() async throws {
        let (source, folder, nginx) = try await published(["index.html": "one", "same.html": "same"])
        let first = try get(nginx.port, "/index.html")
        #expect(first.headers["cache-control"] == "no-cache")
        #expect(first.headers["last-modified"] == nil)
        let tag = try #require(first.headers["etag"])
        let sameTag = try #require(try get(nginx.port, "/same.html").headers["etag"])
        #expect(try get(nginx.port, "/index.html", headers: ["If-None-Match": tag]).status == 304)
        try source.commit(["index.html": "two"])
        #expect(try await Sidekick.once([source.path, folder("www"), "--mtime", "content"]).status == 0)
        let second = try get(nginx.port, "/index.html", headers: ["If-None-Match": tag])
        #expect(second.status == 200 && second.text == "two")
        #expect(try get(nginx.port, "/same.html", headers: ["If-None-Match": sameTag]).status == 304)
        // Not by time: a browser that sends one gets the page.
        #expect(
            try get(nginx.port, "/index.html", headers: ["If-Modified-Since": "Fri, 31 Dec 2100 00:00:00 GMT"]).status
                == 200)
    }

    @Test(
        .enabled(if: geteuid() == 0, "files of another user need root"),
        arguments: ["link", "exchange", "folder"])
    func `links inside the tree are followed and ones that lead to others' files are not`(layout: String) async throws {
        let source = try GitRepository()
        symlink("real.html", source.folder("inside.html"))
        symlink("inside.html", source.folder("twice.html"))
        symlink("docs", source.folder("manual"))
        try source.commit(["real.html": "real", "docs/page.html": "page"])
        let folder = try TemporaryFolder()
        #expect(try await Sidekick.once([source.path, folder("www"), "--layout", layout]).status == 0)
        try folder.write("secret", to: "secret")
        try folder.write("secret", to: "beside/secret.html")
        chown(folder("secret"), 65534, 65534)
        for name in ["beside/secret.html", "beside"] { chown(folder(name), 65534, 65534) }
        // Put there by somebody else, as sidekick never would: at once, over another link, and a whole folder.
        symlink(folder("secret"), folder("www/escape.html"))
        symlink("escape.html", folder("www/chained.html"))
        symlink(folder("beside"), folder("www/sibling"))
        let nginx = try await Nginx(serving: folder("www"))
        for path in ["/real.html", "/inside.html", "/twice.html"] {
            #expect(try get(nginx.port, path).text == "real", "\(path)")
        }
        for path in ["/docs/page.html", "/manual/page.html"] {
            #expect(try get(nginx.port, path).text == "page", "\(path)")
        }
        for path in ["/escape.html", "/chained.html", "/sibling/secret.html"] {
            #expect(try get(nginx.port, path).status == 403, "\(path)")
        }
    }

    @Test func `what the repository has compressed is served so to who takes it, and every answer is hardened`()
        async throws
    {
        let source = try GitRepository()
        try source.commit(["page.html": "plain"])
        try Command.run(["sh", "-c", "printf packed | gzip -n > '\(source.folder("page.html.gz"))'"])
        try source.git("add", "-A")
        try source.commit(["other.html": "other"])
        let folder = try TemporaryFolder()
        #expect(try await Sidekick.once([source.path, folder("www"), "--mtime", "content"]).status == 0)
        let nginx = try await Nginx(serving: folder("www"))
        func ask(_ path: String, _ arguments: String...) throws -> String {
            try Command.run(["curl", "-sS", "-i"] + arguments + ["http://127.0.0.1:\(nginx.port)\(path)"]).text
        }
        let plain = try ask("/page.html")
        #expect(plain.hasSuffix("\r\n\r\nplain") && plain.contains("Vary: Accept-Encoding\r\n"), "\(plain)")
        let packed = try ask("/page.html", "--compressed")
        #expect(packed.hasSuffix("\r\n\r\npacked") && packed.contains("Content-Encoding: gzip\r\n"), "\(packed)")
        let tag = try #require(packed.firstMatch(of: /ETag: (.*)\r\n/)?.1)
        #expect(!plain.contains(tag), "two bodies, two tags")
        #expect(try ask("/page.html", "--compressed", "-H", "If-None-Match: \(tag)").hasPrefix("HTTP/1.1 304"))
        #expect(try ask("/other.html", "--compressed").hasSuffix("\r\n\r\nother"))
        for path in ["/page.html", "/not-there", "/.git/config", "/missing.css"] {
            let answer = try ask(path)
            for header in [
                "X-Content-Type-Options: nosniff", "X-Frame-Options: SAMEORIGIN", "Referrer-Policy: strict-",
            ] {
                #expect(answer.contains("\r\n" + header), "\(path): \(answer)")
            }
        }
    }

    @Test func `a folder without its slash is sent on by path alone, whatever the server is called`() async throws {
        let (_, folder, nginx) = try await published(["docs/index.html": "docs"])
        // It would be removed at once.
        defer { withExtendedLifetime(folder) {} }
        let answer = try Command.run(["curl", "-sS", "-i", "http://127.0.0.1:\(nginx.port)/docs"]).text
        #expect(answer.hasPrefix("HTTP/1.1 301") && answer.contains("Location: /docs/\r\n"), "\(answer)")
    }

    @Test
    func `a site that was there before its sidekick is served meanwhile, and a folder that the image made is no mount`()
        async throws
    {
        let folder = try TemporaryFolder()
        try folder.write("before", to: "www/index.html")
        try FileManager.default.createDirectory(atPath: folder("www/.sidekick"), withIntermediateDirectories: true)
        let nginx = try await Nginx(serving: folder("www"))
        #expect(try get(nginx.port, "/").text == "before")

        let source = try GitRepository()
        try source.commit(["page.html": "page"])
        let other = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: other("www/.sidekick"), withIntermediateDirectories: true)
        #expect(try await Sidekick.once([source.path, other("www"), "--layout", "folder"]).status == 0)
        let second = try await Nginx(serving: other("www"))
        #expect(try get(second.port, "/page.html").text == "page")
    }

    @Test func `while nothing is published yet, a page says so and when to ask again`() async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder("mounted/.sidekick"), withIntermediateDirectories: true)
        for root in ["www", "mounted"] {
            let nginx = try await Nginx(serving: folder(root))
            let answer = try get(nginx.port, "/any/page.html")
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] == "5")
            #expect(answer.text.contains("Nothing is published yet"))
        }
    }
}

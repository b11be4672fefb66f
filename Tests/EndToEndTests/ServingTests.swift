import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct `Reading through nginx while it is updated` {
    /// What page `page` says at commit `number`: long enough to be written in pieces, of a length that varies.
    private static func text(_ page: Int, _ number: Int) -> String {
        "commit \(number) page \(page)\n" + String(repeating: "\(number) ", count: 2000 + number * 7 + page)
    }

    private static func files(_ number: Int) -> [String: String?] {
        var files: [String: String?] = [:]
        for page in 0..<12 { files["page\(page).html"] = text(page, number) }
        files["folder\(number % 3)/extra.html"] = "\(number)"
        if number > 0 { files["folder\((number - 1) % 3)/extra.html"] = .some(nil) }
        return files
    }

    private final class Findings: Sendable {
        let wrong = Mutex<[String]>([])
        let reads = Mutex(0)
        let stop = Mutex(false)
        func note(_ text: String) { wrong.withLock { if $0.count < 20 { $0.append(text) } } }
    }

    private static func number(in text: String) -> Int? {
        text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) }
    }

    /// Reads pages in a loop: never anything but 200 and a whole page of one commit, which in `link` never goes back.
    private static func readLoop(_ port: UInt16, monotonic: Bool, _ findings: Findings) {
        var newest = 0
        var page = 0
        while !findings.stop.withLock({ $0 }) {
            page = (page + 5) % 12
            do {
                let answer = try get(port, "/page\(page).html")
                findings.reads.withLock { $0 += 1 }
                guard answer.status == 200, let number = number(in: answer.text) else {
                    findings.note("page \(page): \(answer.status)")
                    continue
                }
                if answer.text != text(page, number) {
                    findings.note("page \(page): not the bytes of commit \(number)")
                }
                if monotonic && number < newest { findings.note("commit \(number) after \(newest)") }
                newest = max(newest, number)
            } catch { findings.note("\(error)") }
        }
    }

    /// Opens the root once and reads everything through it: in `link` all of it is one commit.
    private static func snapshotLoop(_ root: String, _ findings: Findings) {
        while !findings.stop.withLock({ $0 }) {
            let descriptor = open(root, O_RDONLY | O_DIRECTORY)
            guard descriptor >= 0 else {
                findings.note("no root")
                continue
            }
            defer { close(descriptor) }
            var numbers: Set<Int> = []
            for page in 0..<12 {
                let file = openat(descriptor, "page\(page).html", O_RDONLY)
                guard file >= 0 else {
                    findings.note("page \(page) absent below an open root")
                    continue
                }
                var buffer = [UInt8](repeating: 0, count: 32)
                let count = read(file, &buffer, buffer.count)
                close(file)
                if let number = number(in: String(decoding: buffer[..<max(count, 0)], as: UTF8.self)) {
                    numbers.insert(number)
                }
            }
            if numbers.count > 1 { findings.note("one root, commits \(numbers.sorted())") }
        }
    }

    @Test(arguments: ["link", "folder"])
    func `a hundred updates show no 404, no torn page and no step back`(layout: String) async throws {
        let source = try GitRepository()
        try source.commit(Self.files(0))
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([source.path, folder("www"), "--layout", layout, "--delay", "1h"])
        try await sidekick.prints("published")
        let nginx = try await Nginx(serving: folder("www"))
        let findings = Findings()
        let group = DispatchGroup()
        for _ in 0..<2 {
            group.enter()
            Thread.detachNewThread {
                Self.readLoop(nginx.port, monotonic: layout == "link", findings); group.leave()
            }
        }
        if layout == "link" {
            group.enter()
            Thread.detachNewThread {
                Self.snapshotLoop(folder("www"), findings); group.leave()
            }
        }
        for number in 1...100 {
            try source.commit(Self.files(number))
            sidekick.send(SIGHUP)
            try await eventually("commit \(number) shows") {
                try get(nginx.port, "/page11.html").text == Self.text(11, number)
            }
        }
        findings.stop.withLock { $0 = true }
        await withCheckedContinuation { done in group.notify(queue: .global()) { done.resume() } }
        #expect(findings.wrong.withLock { $0 } == [])
        #expect(findings.reads.withLock { $0 } > 200)
        #expect(try differences(folder("www"), from: source.path, "HEAD") == [])
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `the real history of a site is published commit by commit as git has it`() async throws {
        // A history with renames, mode changes, binary files and folders that come and go; made here, so that the test
        // needs nothing from outside. CI walks a real site's history with Tests/history.
        let source = try GitRepository()
        var commits: [String] = []
        for number in 0..<30 {
            try source.folder.write("page \(number)", to: "pages/\(number % 7)/index.html")
            try source.folder.write(
                String(repeating: "\u{0}\u{1}\(number)", count: number * 50), to: "binary/data\(number % 4).bin")
            if number % 5 == 4 { rename(source.folder("pages/\(number % 7)"), source.folder("moved\(number)")) }
            chmod(source.folder("binary/data0.bin"), number % 2 == 0 ? 0o755 : 0o644)
            commits.append(try source.commit([:]))
        }
        for layout in ["link", "folder"] {
            let folder = try TemporaryFolder()
            for commit in commits {
                let result = try await Sidekick.once([source.path, folder("www"), "--layout", layout, "--ref", commit])
                #expect(result.status == 0, "\(result.log)")
                #expect(try differences(folder("www"), from: source.path, commit) == [], "\(layout) \(commit)")
            }
        }
    }

    @Test(arguments: ["link", "folder"])
    func `a pass that finds nothing changes the time of the status file and nothing else`(layout: String) async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one", "a/b/c.html": "two"])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([
            source.path, folder("www"), "--layout", layout, "--delay", "1h", "--log-level", "debug", "--grace", "0s",
        ])
        try await sidekick.prints("published")
        sidekick.send(SIGHUP)
        try await sidekick.prints("unchanged")
        try await Task.sleep(for: .milliseconds(50))
        let before = try folder.snapshot()
        for count in 2...4 {
            sidekick.send(SIGHUP)
            try await eventually("another pass") {
                sidekick.log.components(separatedBy: "unchanged").count == count + 1
            }
        }
        try await Task.sleep(for: .milliseconds(50))
        let after = try folder.snapshot()
        let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
        #expect(changed == [".sidekick/www/status.json"])
        #expect(
            before[".sidekick/www/status.json"]?.split(separator: " ").first
                == after[".sidekick/www/status.json"]?.split(separator: " ").first)
        #expect(try await sidekick.stop() == 0)
    }

    @Test(arguments: ["link", "folder"])
    func `an update writes as many files as changed`(layout: String) async throws {
        let source = try GitRepository()
        var files: [String: String?] = [:]
        for number in 0..<200 { files["folder\(number % 20)/page\(number).html"] = "page \(number)" }
        try source.commit(files)
        let folder = try TemporaryFolder()
        let arguments = [source.path, folder("www"), "--layout", layout]
        #expect(try await Sidekick.once(arguments).status == 0)
        func inodes() throws -> [String: UInt64] {
            files.keys.reduce(into: [:]) { $0[$1] = folder.inode("www/" + $1) }
        }
        let before = try inodes()
        try source.commit(["folder3/page3.html": "changed", "folder4/page4.html": "changed", "new.html": "new"])
        let result = try await Sidekick.once(arguments)
        #expect(result.log.contains("written=3"), "\(result.log)")
        let after = try inodes()
        #expect(Set(before.keys.filter { before[$0] != after[$0] }) == ["folder3/page3.html", "folder4/page4.html"])
    }
}

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

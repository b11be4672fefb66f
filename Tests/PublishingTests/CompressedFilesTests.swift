import CZlib
import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

/// What zlib makes of a file of gzip.
private func unpacked(_ path: String) throws -> String {
    let packed = try Data(contentsOf: URL(fileURLWithPath: path))
    var stream = z_stream()
    guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
        throw TestFailure("zlib")
    }
    defer { inflateEnd(&stream) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    return try packed.withUnsafeBytes { packed in
        let count = bytes.count
        return try bytes.withUnsafeMutableBytes { room in
            stream.next_in = UnsafeMutablePointer(mutating: packed.bindMemory(to: UInt8.self).baseAddress)
            stream.avail_in = UInt32(packed.count)
            stream.next_out = room.bindMemory(to: UInt8.self).baseAddress
            stream.avail_out = UInt32(count)
            guard inflate(&stream, Z_FINISH) == Z_STREAM_END, stream.avail_in == 0 else {
                throw TestFailure("\(path) is not one file of gzip")
            }
            return String(decoding: room[..<Int(stream.total_out)], as: UTF8.self)
        }
    }
}

@Suite struct `Compressed files` {
    private static let gzip = PublishingOptions(recipe: Recipe(compression: .gzip))

    private static func page(_ text: String) -> String { String(repeating: "<p>\(text)</p>\n", count: 300) }

    /// Publishes a commit that the store has, as upkeep needs it.
    @discardableResult
    private func publish(_ site: Site, _ files: [String: String?]) throws -> [Notice] {
        let (commit, notices) = try site.publishFromStore(files)
        #expect(try site.shows(commit))
        return notices
    }

    private func settle(_ site: Site) throws { while try site.tidy().next == .zero {} }

    /// The compressed files at DESTINATION, with what they hold.
    private func shown(_ site: Site) throws -> [String: String] {
        guard let resolved = realpath(site.www, nil) else { return [:] }
        defer { free(resolved) }
        let root = String(cString: resolved)
        var found: [String: String] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: root) ?? .init()
        where path.hasSuffix(".gz") {
            guard try FileStatus.of(root + "/" + path)?.kind == .file else { continue }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: root + "/" + path))
            if bytes.starts(with: [0x1f, 0x8b]) { found[path] = try unpacked(root + "/" + path) }
        }
        return found
    }

    @Test(arguments: LayoutKind.allCases)
    func `a first publish does not wait for them, and an update brings those that it changes with it`(
        layout: LayoutKind
    ) throws {
        let site = try Site(layout, options: Self.gzip)
        let (one, two) = (Self.page("one"), Self.page("two"))
        try publish(site, ["index.html": one, "a/site.css": one, "a/short.js": "1", "picture.png": one])
        #expect(try shown(site) == [:] && site.publisher.published()?.compressedFiles == 0)
        let since = try site.publisher.published()?.since
        try settle(site)
        #expect(try shown(site) == ["index.html.gz": one, "a/site.css.gz": one])
        let published = try #require(try site.publisher.published())
        #expect(published.files == 4 && published.compressedFiles == 2 && published.since == since)
        #expect(published.bytes == Int64(one.utf8.count * 3 + 1) && published.compressedBytes > 0)
        #expect(try site.status("index.html.gz")?.permissions == 0o644)
        let before = try site.status("a/site.css.gz")
        try publish(site, ["index.html": two, "b.svg": two])
        #expect(try shown(site) == ["index.html.gz": two, "a/site.css.gz": one, "b.svg.gz": two])
        #expect(try site.status("a/site.css.gz") == before)
        try publish(site, ["index.html": "short", "a/site.css": nil])
        #expect(try shown(site) == ["b.svg.gz": two])
        try settle(site)
        #expect(try site.publisher.survey() == 0 && site.lost() == [:])
        let store = try site.publisher.destination.store.open()
        #expect(try site.publisher.compare(in: store).differences == [])
    }

    @Test(arguments: LayoutKind.allCases)
    func `they are bytes and, by content, times that every replica has`(layout: LayoutKind) throws {
        var options = Self.gzip
        options.recipe.modificationTimes = .content
        let files = ["index.html": Self.page("one"), "x.js": Self.page("two")]
        var seen: [[String]] = []
        for other in ["1", "2"] {
            let site = try Site(layout, options: options)
            try publish(site, ["index.html": Self.page("one"), "other": other])
            try settle(site)
            try publish(site, files)
            seen.append(
                try ["index.html.gz", "x.js.gz"].map { name in
                    let bytes = try Data(contentsOf: URL(fileURLWithPath: site.www + "/" + name))
                    return "\(bytes.base64EncodedString()) \(try site.mtime(name))"
                })
        }
        #expect(seen[0] == seen[1])
    }

    @Test(arguments: LayoutKind.allCases)
    func `that somebody changed or removed are found and made anew, and what is not ours is kept`(
        layout: LayoutKind
    ) throws {
        let site = try Site(layout, options: Self.gzip)
        let page = Self.page("one")
        try publish(site, ["index.html": page, "b.html": page])
        try settle(site)
        let path = try #require(realpath(site.www, nil).map { String(cString: $0) })
        unlink(path + "/index.html.gz")
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path + "/b.html.gz"))
        let store = try site.publisher.destination.store.open()
        #expect(
            try site.publisher.compare(in: store).differences == ["changed: b.html.gz", "missing: index.html.gz"])
        #expect(try site.publisher.survey() == 2)
        try publish(site, ["c.html": page])
        #expect(try shown(site) == ["index.html.gz": page, "b.html.gz": page, "c.html.gz": page])
        #expect(try site.lost() == ["b.html.gz": "mine"])
        #expect(try site.publisher.survey() == 0)
    }

    @Test func `beside a file of somebody else's none is made in a folder that is others' too`() throws {
        let site = try Site(.folder, options: Self.gzip)
        let page = Self.page("one")
        try publish(site, ["index.html": "short"])
        try site.folder.write("mine", to: "www/index.html.gz")
        try publish(site, ["index.html": page, "b.html": page])
        try settle(site)
        #expect(try shown(site) == ["b.html.gz": page])
        #expect(try site.read("index.html.gz") == "mine" && site.lost() == [:])
        try publish(site, ["index.html": Self.page("two")])
        #expect(try site.read("index.html.gz") == "mine" && site.publisher.survey() == 0)
    }

    @Test(arguments: LayoutKind.allCases)
    func `are gone when nobody wants them any more, and come when somebody does`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let page = Self.page("one")
        try publish(site, ["index.html": page])
        try settle(site)
        #expect(try shown(site) == [:])
        site.options = Self.gzip
        (site.options.layout, site.options.grace, site.options.keepPrevious) = (layout, .zero, .zero)
        try site.open()
        let commit = try #require(try site.publisher.published()?.commit)
        #expect(try site.publisher.shows(commit))
        try settle(site)
        #expect(try shown(site) == ["index.html.gz": page])
        site.options.recipe.compression = nil
        try site.open()
        #expect(try !site.publisher.shows(commit))
        try publish(site, ["index.html": Self.page("two")])
        #expect(try shown(site) == [:] && site.lost() == [:])
    }

    @Test(arguments: LayoutKind.allCases)
    func `count as files and bytes, and a commit is not refused for them`(layout: LayoutKind) throws {
        var options = Self.gzip
        options.limits = Limits(files: 4)
        let site = try Site(layout, options: options)
        let page = Self.page("one")
        try publish(site, ["index.html": page])
        try settle(site)
        try publish(site, ["b.png": page])
        #expect(try shown(site) == ["index.html.gz": page])
        func tellsOfIt(_ notices: [Notice]) -> Bool {
            notices.contains { if case .notCompressed = $0 { true } else { false } }
        }
        let notices = try publish(site, ["c.html": page, "d.css": page])
        #expect(tellsOfIt(notices), "\(notices)")
        #expect(try shown(site) == [:])
        try settle(site)
        #expect(try shown(site) == [:] && site.publisher.published()?.files == 4)
        // What cleans up keeps a spare for the next update.
        if layout != .folder { #expect(site.names("trees").count == (layout == .link ? 2 : 1)) }
        #expect(try !tellsOfIt(publish(site, ["c.html": Self.page("two")])))
        #expect {
            try publish(site, ["e.html": page])
        } throws: {
            guard case PublishingError.limitExceeded("SIDEKICK_MAX_FILES", _, _) = $0 else { return false }
            return true
        }
        // A first publish of too many with theirs is told of once, between passes.
        let other = try Site(layout, options: options)
        try publish(other, ["a.html": page, "b.html": page, "c.html": page])
        #expect(try tellsOfIt(other.tidy().notices) && !tellsOfIt(other.tidy().notices))
        #expect(try shown(other) == [:])
    }

    /// In the layout `folder`: whoever is given a compressed file is never given one of what the page was before.
    @Test func `that are another one leave before their page comes, and come after it`() throws {
        let site = try Site(.folder, options: Self.gzip)
        try publish(
            site, ["index.html": Self.page("one"), "gone.html": Self.page("one"), "same.css": Self.page("one")])
        try settle(site)
        let staged = try site.stage(
            site.commit(["index.html": Self.page("two"), "gone.html": nil, "new.html": Self.page("new")]))
        guard case .burst(let intent) = staged.place else { throw TestFailure("not a burst") }
        let steps = intent.steps.map { step in
            switch step {
            case .place(_, let path): "place \(path)"
            case .remove(let path): "remove \(path)"
            case .makeFolder(let path): "folder \(path)"
            }
        }
        #expect(
            steps == [
                "remove gone.html.gz", "remove index.html.gz", "place index.html", "place new.html", "remove gone.html",
                "place index.html.gz", "place new.html.gz",
            ])
    }

    @Test(arguments: LayoutKind.allCases)
    func `stand beside each file that has one and nowhere else, whatever the repository does`(layout: LayoutKind) throws
    {
        var numbers = SeededNumbers(seed: SeededNumbers.seed)
        let site = try Site(layout, options: Self.gzip, in: Site.memory)
        let names = [
            "a.html", "a.html.gz", "a.html.gz/in.css", "b.css", "b.css.gz", "d/p.js", "d/p.js.gz",
            "d/p.js.gz/deep/x.js",
            "d/p.js.gz.gz", "d/n.png", "d", "e.json.gz", "e.json", "f.html/g.html", "f.html",
        ]
        let texts = [Self.page("one"), Self.page("two"), "short", String(repeating: "x", count: 1_400)]
        var tree: [String: String] = ["index.html": texts[0]]
        var links: Set<String> = []
        try publish(site, tree.mapValues { $0 })
        for step in 0..<120 {
            let told: Comment = "seed \(SeededNumbers.seed), step \(step)"
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                let path = numbers.pick(names)
                // Nothing stands there, below it, or as a file above it.
                for other in Set(tree.keys).union(links)
                where other == path || other.hasPrefix(path + "/") || path.hasPrefix(other + "/") {
                    (tree[other], _) = (nil, links.remove(other))
                    try FileManager.default.removeItem(atPath: site.source.folder(other))
                }
                try? FileManager.default.removeItem(atPath: site.source.folder(path))
                switch Int.random(in: 0..<10, using: &numbers) {
                case 0..<6:
                    tree[path] = numbers.pick(texts)
                    try site.source.folder.write(tree[path]!, to: path)
                case 6:
                    links.insert(path)
                    try site.source.folder.write("", to: path)
                    unlink(site.source.folder(path))
                    symlink("index.html", site.source.folder(path))
                default: break
                }
            }
            #expect(try publish(site, [:]) == [], told)
            if numbers.isOne(in: 3) { try settle(site) }
            if numbers.isOne(in: 10) { try site.open() }
            let paths = Set(tree.keys).union(links)
            func isTaken(_ path: String) -> Bool { paths.contains { $0 == path || $0.hasPrefix(path + "/") } }
            let isComplete = try site.publisher.published()?.revision.recipe.compression == .gzip
            let expected = tree.filter { path, text in
                isComplete && text.utf8.count >= 1_400 && !isTaken(path + ".gz")
                    && [".html", ".css", ".js", ".json"].contains { path.hasSuffix($0) }
            }
            let found = try shown(site)
            try #require(
                found == Dictionary(uniqueKeysWithValues: expected.map { ($0.key + ".gz", $0.value) }), told)
            try #require(try site.publisher.survey() == 0, told)
            if step % 10 == 0 {
                let store = try site.publisher.destination.store.open()
                try #require(try site.publisher.compare(in: store).differences == [], told)
            }
        }
        try settle(site)
        #expect(try site.publisher.published()?.revision.recipe.compression == .gzip)
        #expect(try site.lost() == [:])
    }
}

import Foundation
import TestSupport
import Testing

private let layouts = ["link", "exchange", "folder"]

@Suite struct `A selection that changes` {
    /// A site in a subdirectory, with links and a submodule, and things that are not for readers.
    private func source() throws -> GitRepository {
        let source = try GitRepository()
        for name in ["index.html", "about.html", "js/app.js", "js/app.js.map", "drafts/new.html", "docs/a/b.md"] {
            try source.folder.write(name, to: "public/" + name)
        }
        try source.folder.write("not for readers", to: "secret.txt")
        for (name, target) in [("start", "index.html"), ("map", "js/app.js.map"), ("out", "../secret.txt")] {
            guard symlink(target, source.folder("public/" + name)) == 0 else { throw TestFailure("symlink") }
        }
        try source.git("add", "-A")
        try source.git(
            "update-index", "--add", "--cacheinfo", "160000,\(String(repeating: "ab", count: 20)),public/vendor")
        try source.git("commit", "-q", "-m", "A site")
        return source
    }

    /// The files, links and empty folders below DESTINATION.
    private func shown(_ folder: TemporaryFolder) throws -> Set<String> {
        let root = folder("www/")
        var paths: Set<String> = []
        for name in try FileManager.default.subpathsOfDirectory(atPath: root) where !name.hasPrefix(".sidekick") {
            var status = stat()
            guard lstat(root + name, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                if try FileManager.default.contentsOfDirectory(atPath: root + name).isEmpty { paths.insert(name + "/") }
            } else {
                paths.insert(name)
            }
        }
        return paths
    }

    private static let everything: Set<String> = [
        "index.html", "about.html", "js/app.js", "js/app.js.map", "drafts/new.html", "docs/a/b.md", "start", "map",
        "vendor/",
    ]

    @Test(arguments: layouts)
    func `files that are no longer selected go, others come, and nobody else's is touched`(
        layout: String
    ) async throws {
        let source = try source()
        let folder = try TemporaryFolder()
        let all = Self.everything
        let steps: [(arguments: [String], shows: Set<String>)] = [
            (["--exclude", "drafts/", "--exclude", "*.map"], all.subtracting(["drafts/new.html", "js/app.js.map"])),
            (["--include", "*.html"], ["index.html", "about.html", "drafts/new.html"]),
            (
                ["--include", "*.html", "--include", "/js/", "--exclude", "drafts"],
                ["index.html", "about.html", "js/app.js", "js/app.js.map"]
            ),
            ([], all),
            (["--include", "vendor"], ["vendor/"]),
            (["--include", "start", "--include", "map", "--include", "out"], ["start", "map"]),
            (["--exclude", "vendor", "--exclude", "start"], all.subtracting(["vendor/", "start"])),
            (["--include", "nothing-has-this-name"], []),
            ([], all),
        ]
        let foreign: Set<String> = layout == "folder" ? ["mine.txt", "js/mine.js", "drafts/mine/x"] : []
        for name in foreign { try folder.write("mine", to: "www/" + name) }
        for (number, step) in steps.enumerated() {
            let arguments =
                [source.path, folder("www"), "--layout", layout, "--subdirectory", "public"] + step.arguments
            let result = try await Sidekick.once(arguments)
            #expect(result.status == 0, "step \(number): \(result.log)")
            #expect(try shown(folder) == step.shows.union(foreign), "step \(number)")
            for name in step.shows where !name.hasSuffix("/") && !["start", "map"].contains(name) {
                #expect(try folder.read("www/" + name) == name, "step \(number)")
            }
            for name in foreign { #expect(try folder.read("www/" + name) == "mine") }
            #expect(!folder.has(".sidekick/www/lost+found"), "step \(number)")
            // The same again finds nothing to do.
            let inode = folder.inode("www/index.html")
            let again = try await Sidekick.once(arguments)
            #expect(again.status == 0 && !again.log.contains("notice published"), "step \(number): \(again.log)")
            #expect(folder.inode("www/index.html") == inode)
        }
    }

    @Test(arguments: layouts)
    func `an update shows what is selected of it, also when the subdirectory is another one`(
        layout: String
    ) async throws {
        let source = try source()
        let folder = try TemporaryFolder()
        func pass(_ subdirectory: String, _ arguments: String...) async throws {
            let place = [source.path, folder("www"), "--layout", layout, "--subdirectory", subdirectory]
            let result = try await Sidekick.once(place + arguments)
            #expect(result.status == 0, "\(result.log)")
        }
        try await pass("public", "--exclude", "drafts")
        try source.folder.write("two", to: "public/index.html")
        try source.folder.write("two", to: "public/drafts/other.html")
        try source.git("add", "public/index.html", "public/drafts")
        try source.git("commit", "-q", "-m", "Change")
        try await pass("public", "--exclude", "drafts")
        #expect(try folder.read("www/index.html") == "two")
        #expect(try shown(folder) == Self.everything.subtracting(["drafts/new.html"]))
        try await pass("public/js")
        #expect(try shown(folder) == ["app.js", "app.js.map"])
        try await pass("public", "--include", "drafts")
        #expect(try shown(folder) == ["drafts/new.html", "drafts/other.html"])
        let missing = try await Sidekick.once(
            [source.path, folder("www"), "--layout", layout, "--subdirectory", "gone", "--include", "drafts"])
        #expect(missing.status == 65, "\(missing.log)")
        #expect(try shown(folder) == ["drafts/new.html", "drafts/other.html"])
    }
}

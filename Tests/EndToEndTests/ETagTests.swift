import Foundation
import TestSupport
import Testing

@Suite struct `What clients keep` {
    private static let paths = [
        "index.html", "a/page.html", "a/b/style.css", "same.html", "comes.html", "turns", "turns/now.html",
    ]

    /// Three commits, none an ancestor of another, of one date, whose files have the same sizes.
    private func commits(in source: GitRepository) throws -> [String] {
        try ["A", "B", "C"].enumerated().map { number, letter in
            var files: [String: String?] = ["same.html": "same"]
            for path in ["index.html", "a/page.html", "a/b/style.css"] { files[path] = "\(letter) \(path)" }
            // Absent from B; a file in A, nothing in B, a folder in C.
            if letter != "B" { files["comes.html"] = "\(letter) comes" }
            if letter == "A" { files["turns"] = "A turns" }
            if letter == "C" { files["turns/now.html"] = "C turns" }
            return try source.history([files]) { _ in 1_500_000_000 }[0]
        }
    }

    @Test(arguments: ["link", "exchange", "folder"], [false, true])
    func `no client is told that other bytes are unchanged, with one date and a force-push back and forth`(
        layout: String, restarts: Bool
    ) async throws {
        let source = try GitRepository()
        let commits = try commits(in: source)
        let folder = try TemporaryFolder()
        let arguments = [source.path, folder("www"), "--layout", layout, "--mtime", "commit", "--delay", "1h"]
        try source.push(commits[0])
        #expect(try await Sidekick.once(arguments).status == 0)
        var client = try await ReturningClient(folder("www"))
        let daemon = restarts ? nil : try Sidekick(arguments)
        try await daemon?.prints("started")
        var faults = try client.visit(Self.paths, "first")
        for (step, number) in [1, 0, 2, 0, 1, 2, 1, 0, 0, 1, 2, 0].enumerated() {
            try source.push(commits[number])
            if let daemon {
                daemon.send(SIGHUP)
                try await eventually("commit \(number) is whole") {
                    // What it looks at may go away meanwhile.
                    (try? differences(folder("www"), from: source.path, commits[number])) == []
                }
            } else {
                let result = try await Sidekick.once(arguments)
                #expect(result.status == 0, "\(result.log)")
            }
            faults += try client.visit(Self.paths, "step \(step), commit \(number)")
            #expect(try differences(folder("www"), from: source.path, commits[number]) == [])
        }
        #expect(faults == [])
        #expect(client.spared > 30)
        _ = try await daemon?.stop()
    }

    @Test(arguments: ["link", "exchange", "folder"])
    func `replicas with other histories agree on every ETag of a commit`(layout: String) async throws {
        let source = try GitRepository()
        let commits = try commits(in: source)
        let last = try source.history([
            ["index.html": "last", "a/page.html": "A a/page.html", "same.html": "same", "comes.html": "C comes"],
            ["a/b/style.css": "B a/b/style.css", "turns": "A turns"],
        ])[1]
        // Straight on, back and forth, and never before; the first two with other layouts beside them.
        let histories: [([Int], layout: String)] = [
            ([0, 1, 2], layout), ([1, 0, 1, 2, 1, 0], layout), ([], layout),
            ([2, 0], layout == "folder" ? "link" : "folder"),
        ]
        var tags: [[String: String]] = []
        for (number, (history, layout)) in histories.enumerated() {
            let folder = try TemporaryFolder()
            for commit in history.map({ commits[$0] }) + [last] {
                try source.push(commit)
                let result = try await Sidekick.once(
                    [source.path, folder("www"), "--layout", layout, "--mtime", "content"])
                #expect(result.status == 0, "\(number): \(result.log)")
            }
            let nginx = try await Nginx(serving: folder("www"))
            tags.append([:])
            for path in Self.paths { tags[number][path] = try get(nginx.port, "/" + path).headers["etag"] }
        }
        #expect(tags[0].count == Self.paths.count - 1, "all but the page below `turns`")
        for other in tags.dropFirst() { #expect(other == tags[0]) }
    }
}

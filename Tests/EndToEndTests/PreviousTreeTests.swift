import Foundation
import Synchronization
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
        #expect(try get(nginx.port, "/app.1.js", headers: ["If-None-Match": tag ?? ""]).status == 304)
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

    @Test(arguments: ["link", "exchange"])
    func `a page finds the assets that it names, in the very moment of an update too`(layout: String) async throws {
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        let updates = 150
        let commits = try source.history(
            (0...updates).map { n in
                ["index.html": "\(n)", "app.\(n).js": "\(n)"].merging(n > 0 ? ["app.\(n - 1).js": nil] : [:]) {
                    new, _ in new
                }
            })
        try source.push(commits[0])
        let sidekick = try Sidekick([
            source.path, folder("www"), "--layout", layout, "--delay", "1h", "--grace", "100ms",
        ])
        try await sidekick.prints("published")
        let nginx = try await Nginx(serving: folder("www"))
        let reader = Visitor(nginx.port)
        for (n, commit) in commits.enumerated().dropFirst() {
            try source.push(commit)
            sidekick.send(SIGHUP)
            try await eventually("page \(n) was read, and all that it names") { reader.last >= n || reader.isStuck }
        }
        let (visits, faults) = await reader.end()
        #expect(faults.isEmpty && visits > updates, "\(visits) visits: \(faults.joined(separator: "\n"))")
        #expect(try await sidekick.stop() == 0)
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

/// Loads the page again and again, each time with the asset that it names.
private final class Visitor: Sendable {
    private struct State {
        var isOver = false
        var last = -1
        var visits = 0
        var faults: [String] = []
    }

    private let state = Mutex(State())
    private let ended = DispatchGroup()

    init(_ port: UInt16) {
        ended.enter()
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isOver }) { visit(port) }
            ended.leave()
        }
    }

    private func visit(_ port: UInt16) {
        var page = ""
        var asset = ""
        do {
            page = try get(port, "/").text
            let answer = try get(port, "/app.\(page).js")
            asset = answer.status == 200 ? answer.text : "status \(answer.status)"
        } catch {
            asset = "\(error)"
        }
        state.withLock {
            $0.visits += 1
            if let number = Int(page) { $0.last = number }
            if asset != page || page.isEmpty { $0.faults.append("page \(page): \(asset)") }
        }
    }

    /// The newest page that was loaded with its asset.
    var last: Int { state.withLock { $0.last } }
    var isStuck: Bool { state.withLock { $0.faults.count > 20 } }

    func end() async -> (visits: Int, faults: [String]) {
        state.withLock { $0.isOver = true }
        await withCheckedContinuation { done in ended.notify(queue: .global()) { done.resume() } }
        return state.withLock { ($0.visits, $0.faults) }
    }
}

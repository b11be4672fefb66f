import Foundation
import TestSupport
import Testing

/// What somebody removes under a sidekick that runs.
@Suite struct `What is served is looked at` {
    enum Loss: String, CaseIterable, Sendable {
        /// The folder that DESTINATION leads to, or is.
        case tree
        /// DESTINATION itself.
        case destination
        /// Every page in it.
        case pages
        /// One page.
        case page
        /// Everything that is sidekick's beside it.
        case state
    }

    @Test(arguments: ["link", "exchange", "folder"].flatMap { layout in Loss.allCases.map { (layout, $0) } })
    func `what is gone is back with the next pass, and until then it is not called ready`(layout: String, loss: Loss)
        async throws
    {
        let source = try GitRepository()
        let commit = try source.commit(["index.html": "one", "a/b.html": "two"])
        let folder = try TemporaryFolder()
        let port = try freePort()
        if layout == "folder" {
            try FileManager.default.createDirectory(atPath: folder("www"), withIntermediateDirectories: false)
        }
        let sidekick = try Sidekick([
            source.path + "/.git", folder("www"), "--layout", layout, "--delay", "1h", "--listen", "127.0.0.1:\(port)",
        ])
        try await sidekick.prints("published")
        try await eventually("it is ready") { try get(port, "/readyz").status == 200 }
        let served = URL(fileURLWithPath: folder("www")).resolvingSymlinksInPath().path
        switch loss {
        case .tree: try Command.run(["rm", "-rf", served])
        case .destination: try Command.run(["rm", "-rf", folder("www")])
        case .pages: try Command.run(["sh", "-c", "rm -rf \(served)/*"])
        case .page: try Command.run(["rm", served + "/index.html"])
        // In one step: what cleans up there in the background makes folders anew.
        case .state: try FileManager.default.moveItem(atPath: folder(".sidekick"), toPath: folder("gone"))
        }
        let isGone =
            !folder.has("www/index.html")
            && (loss == .tree || loss == .destination || loss == .state && layout == "link")
        if isGone { #expect(try get(port, "/readyz").status == 503) }
        sidekick.send(SIGHUP)
        try await eventually("it is back: \(sidekick.log)") {
            try folder.has("www/index.html") && differences(folder("www"), from: source.path, commit) == []
        }
        try await eventually("it is ready again") { try get(port, "/readyz").status == 200 }
        // And goes on to follow, as the one owner of its place.
        let second = try await Sidekick.once([source.path + "/.git", folder("www"), "--layout", layout])
        #expect(second.status == 75, "\(second.log)")
        let next = try source.commit(["index.html": "three"])
        sidekick.send(SIGHUP)
        try await eventually("the next commit shows: \(sidekick.log)") {
            try differences(folder("www"), from: source.path, next) == []
        }
        #expect(!sidekick.log.contains("report this as a bug"), "\(sidekick.log)")
        #expect(try await sidekick.stop() == 0)
    }
}

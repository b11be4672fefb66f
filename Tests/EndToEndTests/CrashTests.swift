import Foundation
import TestSupport
import Testing

/// A site with something of everything, in two commits.
private struct TwoCommits {
    let source: GitRepository
    let first: String
    let second: String
    /// Paths that both commits have.
    let common = ["index.html", "css/site.css", "same/page.html", "link.html"]

    init() throws {
        source = try GitRepository()
        try source.folder.write("x", to: "kind/inside")
        symlink("index.html", source.folder("link.html"))
        first = try source.commit([
            "index.html": "first", "css/site.css": "first css", "same/page.html": "same", "old/gone.html": "gone",
            "swap": "a file",
        ])
        unlink(source.folder("link.html"))
        symlink("css/site.css", source.folder("link.html"))
        try source.git("rm", "-rq", "kind")
        second = try source.commit([
            "index.html": "second", "css/site.css": "second css", "old/gone.html": nil, "new/deep/page.html": "new",
            "swap": nil, "swap/now": "a folder", "kind": "a file",
        ])
    }
}

@Suite(.serialized) struct `Whatever happens at any instruction` {
    private static let shim: Result<(TemporaryFolder, String), any Error> = Result {
        let folder = try TemporaryFolder()
        try Command.run([
            "clang", "-shared", "-fPIC", "-O1", "-o", folder("fault.so"), Nginx.project + "/Tests/Faults/fault.c",
            "-ldl",
        ])
        return (folder, folder("fault.so"))
    }

    /// Runs one pass with a fault. Not through `env`, so that only sidekick is hit.
    private func pass(_ site: TwoCommits, _ www: String, _ layout: String, fault: [String: String]) throws
        -> Command.Result
    {
        let shim = try Self.shim.get().1
        return try Command.run(
            [Sidekick.binary, site.source.path, www, "--layout", layout, "--once"],
            environment: ["LD_PRELOAD": shim, "PATH": "/usr/bin:/bin"].merging(fault) { $1 }, mayFail: true)
    }

    private func publishFirst(_ site: TwoCommits, _ layout: String) async throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let result = try await Sidekick.once([site.source.path, folder("www"), "--layout", layout, "--ref", site.first])
        #expect(result.status == 0, "\(result.log)")
        // Not ours, and to be found again whatever happens.
        if layout == "folder" { try folder.write("mine", to: "www/foreign.txt") }
        return folder
    }

    /// Each path that both commits have is one of both; in `link`, all of them are of one commit.
    private func check(_ folder: TemporaryFolder, _ site: TwoCommits, _ layout: String, _ when: String) throws {
        var seen: Set<String> = []
        for path in site.common {
            let text = (try? folder.read("www/" + path)) ?? "absent"
            let allowed: Set<String> =
                switch path {
                case "index.html": ["first", "second"]
                case "css/site.css": ["first css", "second css"]
                case "link.html": ["first", "second", "first css", "second css"]
                default: ["same"]
                }
            #expect(allowed.contains(text), "\(when): \(path) is \(text)")
            seen.insert(String(text.split(separator: " ")[0]))
        }
        if layout == "link" { #expect(seen.subtracting(["same"]).count == 1, "\(when): \(seen)") }
        if layout == "folder" { #expect(try folder.read("www/foreign.txt") == "mine", "\(when)") }
    }

    /// The next start converges by itself, to exactly the commit, with nothing left over.
    private func converge(_ folder: TemporaryFolder, _ site: TwoCommits, _ layout: String, _ when: String) async throws
    {
        let result = try await Sidekick.once(
            [site.source.path, folder("www"), "--layout", layout, "--grace", "0s"])
        #expect(result.status == 0, "\(when): \(result.log)")
        let found = try differences(folder("www"), from: site.source.path, site.second)
            .filter { $0 != "surplus: foreign.txt" }
        #expect(found == [], "\(when)")
        let lost = folder.has(".sidekick/www/lost+found")
        #expect(!lost, "\(when): nothing of ours is foreign: \(result.log)")
        #expect(!folder.has(".sidekick/www/intent"), "\(when)")
        if layout == "folder" {
            let staged = try FileManager.default.contentsOfDirectory(atPath: folder(".sidekick/www/staging"))
            #expect(staged.isEmpty, "\(when): \(staged)")
        } else {
            let trees = try FileManager.default.contentsOfDirectory(atPath: folder(".sidekick/www/trees"))
            #expect(trees.allSatisfy { !$0.hasPrefix(".") }, "\(when): \(trees)")
        }
    }

    @Test(arguments: ["link", "folder"])
    func `kill -9 before any call that changes the disk leaves a served site that the next start completes`(
        layout: String
    ) async throws {
        let site = try TwoCommits()
        let counting = try await publishFirst(site, layout)
        let whole = try pass(site, counting("www"), layout, fault: ["FAULT_COUNT": counting("count")])
        #expect(whole.status == 0, "\(whole.error)")
        let calls = try #require(Int(counting.read("count")))
        #expect(calls > 40, "the shim sees the calls")
        for call in 1...calls {
            let folder = try await publishFirst(site, layout)
            let killed = try pass(site, folder("www"), layout, fault: ["FAULT_AT": "\(call)"])
            #expect(killed.status == 137, "call \(call) of \(calls): \(killed.error)")
            try check(folder, site, layout, "killed at \(call)")
            try await converge(folder, site, layout, "killed at \(call)")
        }
    }

    @Test(arguments: ["link", "folder"])
    func `a disk that is full from any call on leaves a served site, an error, and a next pass that works`(
        layout: String
    ) async throws {
        let site = try TwoCommits()
        let counting = try await publishFirst(site, layout)
        _ = try pass(site, counting("www"), layout, fault: ["FAULT_COUNT": counting("count"), "FAULT_ERRNO": "28"])
        let calls = try #require(Int(counting.read("count")))
        for call in stride(from: 1, through: calls, by: 2) {
            let folder = try await publishFirst(site, layout)
            let full = try pass(
                site, folder("www"), layout, fault: ["FAULT_AT": "\(call)", "FAULT_ERRNO": "28"])
            let ok = full.status == 0 || full.error.contains("No space left on device")
            #expect(ok, "call \(call): \(full.status) \(full.error)")
            try check(folder, site, layout, "full at \(call)")
            try await converge(folder, site, layout, "full at \(call)")
        }
    }
}

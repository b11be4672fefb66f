import Foundation
import TestSupport
import Testing

@Suite struct `A damaged store` {
    @Test(arguments: [true, false])
    func `is fetched anew by passes that serve the old tree meanwhile`(local: Bool) async throws {
        let remote = try await LongRemote()
        let folder = try TemporaryFolder()
        let arguments = [remote.address(local: local), folder("www"), "--ref", "steps"]
        #expect(try await Sidekick.once(arguments).status == 0)
        for (step, damage) in Damage.all.enumerated() {
            try damage.inflict(StoreFiles(path: folder(".sidekick/www/git")))
            let commit = try remote.advance(to: step + 1)
            var logs = "\(damage.name):"
            for _ in 1...3 {
                let pass = try await Sidekick.once(arguments)
                logs += "\n\(pass.status) \(pass.log)"
                if pass.status == 0 { break }
                #expect(pass.status == 70, "it is the store that failed: \(logs)")
                #expect(try folder.read("www/index.html") == "page \(step)", "\(logs)")
            }
            #expect(try differences(folder("www"), from: remote.bare, commit) == [], "\(logs)")
        }
    }

    @Test(arguments: [true, false])
    func `is fetched anew by a daemon that runs on`(local: Bool) async throws {
        let remote = try await LongRemote()
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([
            remote.address(local: local), folder("www"), "--ref", "steps", "--delay", "100ms", "--backoff", "100ms",
        ])
        try await sidekick.prints("published")
        for (step, damage) in Damage.all.enumerated() {
            try damage.inflict(StoreFiles(path: folder(".sidekick/www/git")))
            let commit = try remote.advance(to: step + 1)
            sidekick.send(SIGHUP)
            let pages = ["page \(step)", "page \(step + 1)"]
            do {
                try await eventually("the commit after \(damage.name) shows") {
                    let page = try folder.read("www/index.html")
                    #expect(pages.contains(page), "\(damage.name): \(page)")
                    return page == pages[1]
                }
            } catch {
                let end = sidekick.isRunning ? "it runs" : "it ended with \(try await sidekick.wait())"
                throw TestFailure("\(error): \(end)\n\(sidekick.log.suffix(3000))")
            }
            #expect(try differences(folder("www"), from: remote.bare, commit) == [], "\(damage.name)")
        }
        #expect(!sidekick.log.contains("this as a bug"), "\(sidekick.log)")
        #expect(try await sidekick.stop() == 0)
    }
}

/// A remote with a commit for every step, whose branch goes ahead a step at a time.
private final class LongRemote: Sendable {
    private let http: HTTPRemote
    private let commits: [String]

    var bare: String { http.bare }

    init() async throws {
        http = try await HTTPRemote([:])
        // Bytes that do not compress, so that a part of a pack is a part of them.
        let same = (0..<40).map { _ in UUID().uuidString }.joined()
        var script = ""
        for step in 0...Damage.all.count {
            script += "commit refs/heads/all\ncommitter T <t@example.org> \(1_700_000_000 + step) +0000\ndata 0\n"
            let files = ["index.html": "page \(step)", "folder/\(step).html": "\(step) \(same)", "same.html": same]
            for (name, text) in files {
                script += "M 100644 inline \(name)\ndata \(text.utf8.count)\n\(text)\n"
            }
            if step > 2 { script += "D folder/\(step - 2).html\n" }
        }
        _ = try Self.git(["fast-import", "--quiet"], in: http.bare, input: script)
        commits = try Self.git(["rev-list", "--reverse", "refs/heads/all"], in: http.bare).split(separator: "\n")
            .map(String.init)
        try advance(to: 0)
    }

    func address(local: Bool) -> String { local ? http.bare : http.url() }

    @discardableResult
    func advance(to step: Int) throws -> String {
        _ = try Self.git(["update-ref", "refs/heads/steps", commits[step]], in: http.bare)
        return commits[step]
    }

    private static func git(_ arguments: [String], in folder: String, input: String = "") throws -> String {
        try Command.run(
            ["git"] + arguments, in: folder, environment: GitRepository.environment(), input: Data(input.utf8)
        ).text
    }

    /// What is there may be whole: a store that was made anew would be on the same disk.
    @Test(arguments: [100, 3_000_000])
    func `is no damage where the disk cannot read`(size: Int) async throws {
        var random = SeededNumbers(seed: 9)
        let text = String(decoding: (0..<size).map { _ in UInt8.random(in: 33...126, using: &random) }, as: UTF8.self)
        let remote = try await HTTPRemote(["index.html": "1", "file": text])
        let folder = try TemporaryFolder()
        let environment = try FaultShim.shared.get().environment(failingToRead: "/git/objects/pack/")
        for _ in 0..<2 {
            let found = try await Sidekick.once([remote.url(), folder("www")], environment: environment)
            #expect(found.status == 74, "\(found.log)")
            #expect(found.log.contains(String(cString: strerror(EIO))), "\(found.log)")
            #expect(!found.log.contains("moved aside") && !folder.has(".sidekick/www/git.damaged"), "\(found.log)")
        }
        let mended = try await Sidekick.once([remote.url(), folder("www")])
        #expect(mended.status == 0, "\(mended.log)")
        #expect(try folder.read("www/file") == text)
    }
}

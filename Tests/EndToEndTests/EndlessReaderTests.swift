import Foundation
import TestSupport
import Testing

@Suite struct `A reader that never stops` {
    @Test(arguments: ["link", "exchange", "folder"])
    func `sees no failure, no torn page and no step back in two hundred updates of 1 to 1,000 files`(
        layout: String
    ) async throws {
        let site = try ChangingSite()
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([site.source.path, folder("www"), "--layout", layout, "--delay", "200ms"])
        try await sidekick.prints("published")
        let nginx = try await Nginx(serving: folder("www"))
        let paths = ChangingSite.pages + ChangingSite.bulk.prefix(40) + site.untouched
        let start = Date()
        let visitors = try Wrk(nginx.port, paths: paths.map { "/" + $0 })
        let reader = EndlessReader(site, nginx.port, isWhole: layout != "folder")
        for (number, commit) in site.commits.enumerated().dropFirst() {
            try site.source.push(commit)
            sidekick.send(SIGHUP)
            let text = ChangingSite.text("commit.txt", number)
            try await eventually("commit \(number) shows") { try folder.read("www/commit.txt") == text }
        }
        let count = try await visitors.end()
        let (reads, versions, faults) = await reader.end()
        let seconds = String(format: "%.1f", Date().timeIntervalSince(start))
        print(
            "\(layout): 200 updates in \(seconds) s, wrk \(count.requests) requests, reader \(reads) of \(versions) commits"
        )
        #expect(count.failures == [:])
        #expect(faults == [])
        #expect(count.requests > 2_000 && reads > 500 && versions > 50)
        try await eventually("the last commit is whole") {
            (try? differences(folder("www"), from: site.source.path, site.commits[200])) == []
        }
        #expect(try await sidekick.stop() == 0)
        #expect(!sidekick.log.contains("warning"), "\(sidekick.log)")
    }
}

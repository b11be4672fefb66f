import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Drift` {
    /// Writes other bytes of the same length, with the same time: no `lstat` tells.
    private func spoil(_ site: Site, _ path: String) throws {
        var status = stat()
        let path = site.www + "/" + path
        #expect(stat(path, &status) == 0)
        try Data("#".utf8).write(to: URL(fileURLWithPath: path), options: [])
        utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0)
    }

    /// As `verify --repair` finds it while a pass goes on, which has seen less, or nothing.
    @Test(arguments: LayoutKind.allCases, [true, false])
    func `that is noted while a tree is made is mended by the next pass`(
        layout: LayoutKind, isKilled: Bool
    ) throws {
        for isKnownInPart in [true, false] { try noted(layout, isKnownInPart, isKilled) }
    }

    private func noted(_ layout: LayoutKind, _ isKnownInPart: Bool, _ isKilled: Bool) throws {
        let site = try Site(layout)
        try site.publish(["index.html": "1", "a": "a", "b": "b"])
        try site.tidy()
        try spoil(site, "index.html")
        if isKnownInPart {
            unlink(site.www + "/a")
            #expect(try site.publisher.survey() == 1)
        }
        let commit = try site.commit(["b": "c"])
        let staged = try site.stage(commit)
        let result = try site.publisher.compare(in: Repository(opening: site.source.path))
        #expect(try site.publisher.repair(result) != nil)
        _ = try site.publisher.publish(staged)
        if isKilled { try site.open() }
        #expect(try !site.shows(commit), "what was noted is still to be mended")
        try site.publish(commit)
        #expect(try site.differences(commit) == [])
        #expect(try site.shows(commit))
        // Neither in what trails it.
        for number in 0..<3 {
            let commit = try site.commit(["b": "\(number)"])
            try site.publish(commit)
            #expect(try site.differences(commit) == [], "update \(number)")
        }
        #expect(try site.publisher.compare(in: Repository(opening: site.source.path)).differences == [])
    }
}

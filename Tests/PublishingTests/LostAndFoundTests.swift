import Platform
import Foundation
import TestSupport
import Testing

@testable import Publishing

@Suite struct `What was moved out of the way` {
    @Test(arguments: LayoutKind.allCases)
    func `is counted, kept as long as it should be, and goes then`(layout: LayoutKind) throws {
        let site = try Site(layout)
        try site.publish(["a": "1"])
        try site.tidy()
        #expect(try site.publisher.lost == nil)
        try site.folder.write("mine", to: "www/a")
        _ = try site.publisher.survey()
        try site.publish(site.source.head)
        try site.tidy()
        #expect(try site.lost().values.sorted() == ["mine"])
        #expect(try site.publisher.lost == Lost(files: 1, bytes: 4))
        // For ever.
        site.options.keepLost = .zero
        try site.open()
        try site.age(seconds: 100 * 86_400)
        #expect(try site.tidy().notices == [])
        #expect(try site.publisher.lost?.files == 1)
        // For a day, of which an hour is left.
        site.options.keepLost = .seconds(86_400)
        try site.open()
        try site.age(seconds: 82_800)
        let next = try #require(try site.tidy().next).inSeconds
        #expect(try next <= 3_600 && site.publisher.lost?.files == 1)
        try site.age(seconds: 90_000)
        #expect(try site.tidy().notices.contains(.lostExpired(count: 1)))
        #expect(try site.publisher.lost == nil && site.lost().isEmpty)
        #expect(try site.differences(site.source.head) == [])
    }

    @Test(.enabled(if: geteuid() == 0, "a mount needs root"))
    func `and cannot be removed is told, and keeps nothing else from going`() throws {
        let site = try Site(.link)
        try site.publish(["a": "1"])
        let place = site.state + "/lost+found"
        for name in ["1", "2", "3"] { try site.folder.write("mine", to: ".sidekick/www/lost+found/\(name)/a") }
        try Command.run(["mount", "-t", "tmpfs", "tmpfs", place + "/2"])
        defer { umount2(place + "/2", Int32(MNT_DETACH)) }
        site.options.keepLost = .seconds(60)
        try site.open()
        try site.age(seconds: 120)
        let notices = try site.tidy().notices
        #expect(notices.contains(.lostExpired(count: 2)), "\(notices)")
        #expect(notices.contains { "\($0)".contains("lost+found/2") }, "\(notices)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["2"])
        // The site goes on.
        let commit = try site.commit(["a": "2"])
        try site.publish(commit)
        #expect(try site.differences(commit) == [])
    }
}

extension Site {
    /// Makes what is in lost+found so many seconds old.
    fileprivate func age(seconds: Int) throws {
        let place = state + "/lost+found"
        for visit in try FileManager.default.contentsOfDirectory(atPath: place) {
            let time = timespec(tv_sec: time(nil) - seconds, tv_nsec: 0)
            guard utimensat(AT_FDCWD, place + "/" + visit, [time, time], 0) == 0 else { throw TestFailure("utimensat") }
        }
    }
}

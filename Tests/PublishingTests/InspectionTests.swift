import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

/// What a program does to a tree that it is to look at, as a shell would say it there.
private enum Deed: String, CaseIterable {
    case reads = "cat index.html d/* >/dev/null; ls -lR >/dev/null"
    case writes = "echo x >index.html"
    case writesWhatIsVisible = "echo y >same.html"
    case appendsToWhatIsVisible = "echo y >>d/same.html"
    case sameBytes = "cat same.html >/tmp/x-$$; cat /tmp/x-$$ >same.html; rm /tmp/x-$$"
    case mode = "chmod 600 d/page.html"
    case time = "touch -d 2001-01-01 d/page.html"
    case adds = "echo z >d/z"
    case addsDeep = "mkdir -p x/x/x/x && echo z >x/x/x/x/z"
    case removes = "rm d/page.html"
    case removesAll = "rm -rf ./*"
    case renames = "mv index.html other.html"
    case movesFolder = "mv d e"
    case links = "ln same.html other.html"
    case linkForFile = "ln -sf /etc/passwd index.html"
    case fifo = "mkfifo pipe"
    case locksFolder = "chmod 0 d"
    case locksTop = "chmod 0 ."

    var isHarmless: Bool { self == .reads }
}

@Suite struct `A tree that somebody looks at before it is shown` {
    @Test(arguments: [LayoutKind.link, .exchange], Deed.allCases)
    fileprivate func `is shown when he only looked, and never with what he changed`(layout: LayoutKind, deed: Deed)
        throws
    {
        for restarts in [false, true] {
            let site = try Site(layout)
            let old = try site.commit([
                "index.html": "one", "same.html": "same", "d/page.html": "page", "d/same.html": "same too",
            ])
            try site.publish(old)
            let new = try site.commit(["index.html": "two", "d/page.html": "page 2"])
            let staged = try site.stage(new)
            let folder = try #require(try site.publisher.beginInspection(of: staged))
            try Command.run(["sh", "-c", deed.rawValue], in: folder)
            var changed: [TreePath] = []
            if restarts { try site.open() } else { changed = try site.publisher.endInspection() }
            #expect(restarts || changed.isEmpty == deed.isHarmless, "\(changed)")
            #expect(!FileManager.default.fileExists(atPath: folder) == (!deed.isHarmless), "it leaves the pool")
            #expect(try site.publisher.endInspection() == [], "it is over")
            if deed.isHarmless, !restarts {
                _ = try site.publisher.publish(staged)
            } else {
                try site.publish(new)
            }
            #expect(try site.differences(new) == [])
            #expect(try !site.publisher.hasDrifted)
            // What was visible then shares files with it.
            try site.publish(old)
            #expect(try site.differences(old) == [])
            try site.tidy()
            try site.publish(new)
            #expect(try site.differences(new) == [])
        }
    }

    @Test(arguments: [LayoutKind.link, .exchange])
    func `what is visible and was changed with it is told, and made anew without a new commit`(layout: LayoutKind)
        throws
    {
        for restarts in [false, true] {
            let site = try Site(layout)
            let old = try site.commit(["index.html": "one", "same.html": "same"])
            try site.publish(old)
            let staged = try site.stage(try site.commit(["index.html": "two"]))
            let folder = try #require(try site.publisher.beginInspection(of: staged))
            try Command.run(["sh", "-c", "echo other >same.html"], in: folder)
            #expect(try site.publisher.endInspection() == [TreePath("same.html")])
            #expect(try site.differences(old) != [])
            if restarts { try site.open() }
            #expect(try site.publisher.hasDrifted, "the next process knows it too")
            try site.publish(old)
            #expect(try site.differences(old) == [] && !site.publisher.hasDrifted)
        }
    }

    @Test func `there is none in the layout folder`() throws {
        let site = try Site(.folder)
        let staged = try site.stage(try site.commit(["a": "1"]))
        #expect(try site.publisher.beginInspection(of: staged) == nil)
        #expect(try site.publisher.endInspection() == [])
        _ = try site.publisher.publish(staged)
        #expect(try site.read("a") == "1")
    }

    @Test func `what cannot be begun leaves what is visible alone`() throws {
        let site = try Site(.link)
        let old = try site.commit(["a": "1"])
        try site.publish(old)
        let staged = try site.stage(try site.commit(["a": "2"]))
        // A mark that names the visible tree, as one who stopped us between two steps might leave.
        _ = try site.publisher.beginInspection(of: staged)
        try site.folder.write(old, to: ".sidekick/www/inspection")
        #expect(try site.publisher.endInspection() == [])
        #expect(try site.differences(old) == [])
    }
}

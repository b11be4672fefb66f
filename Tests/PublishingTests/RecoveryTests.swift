import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `After a crash` {
    private func recovered(_ notices: [Notice]) -> Bool {
        notices.contains { if case .recovered = $0 { true } else { false } }
    }

    private func names(_ site: Site, _ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: site.state + "/" + folder)) ?? []).sorted()
    }

    @Test func `a second publisher is refused and names the first, and may come when that is gone`() async throws {
        let site = try Site(.link)
        let destination = try Destination(site.www, state: nil)
        try site.open()
        #expect(try destination.isOwned)
        #expect {
            try Publisher.open(destination, options: site.options)
        } throws: {
            guard case PublishingError.destinationBusy(_, let owner) = $0 else { return false }
            return owner == "\(getpid())"
        }
        #expect(throws: PublishingError.self) {
            try Publisher.open(Destination(site.www + "/", state: site.folder("state")), options: site.options)
        }
        site.close()
        // A child that another test is just starting holds a copy of the descriptor until it has become its program.
        try await eventually("the lock is free") { try !destination.isOwned }
        _ = try Publisher.open(destination, options: site.options)
    }

    @Test func `two that are to share one SIDEKICK_STATE are refused, each its own is not`() throws {
        let folder = try TemporaryFolder()
        func open(_ name: String, state: String) throws -> Publisher {
            try Publisher.open(
                Destination(folder(name), state: folder(state)), options: PublishingOptions(layout: .link)
            ).publisher
        }
        let first = try open("one", state: "state")
        #expect {
            try open("two", state: "state")
        } throws: {
            guard case PublishingError.stateBusy(let path, let owner) = $0 else { return false }
            return path == folder("state") && owner == "\(getpid())"
        }
        let third = try open("three", state: "state/three")
        withExtendedLifetime((first, third)) {}
    }

    /// Stages the second commit and does the first steps of its burst by hand, as if the process had died then.
    private func interrupt(_ site: Site, _ commit: String, after count: Int, of steps: inout Int) throws {
        let staged = try site.stage(commit)
        guard case .burst(let intent) = staged.place else { throw TestFailure("not a burst") }
        steps = intent.steps.count
        let home = try Directory(opening: site.state)
        try home.replace(FolderLayout.nextRecordName, with: staged.record.encoded())
        try home.replace(FolderLayout.intentName, with: intent.encoded())
        for step in intent.steps.prefix(count) {
            switch step {
            case .place(let number, let path):
                let file = site.www + "/\(path)"
                // A folder that makes way, as the burst would have it.
                try? FileManager.default.removeItem(atPath: file)
                let parent = (file as NSString).deletingLastPathComponent
                if try FileStatus.of(parent)?.kind == .file { unlink(parent) }
                try FileManager.default.createDirectory(
                    atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                guard rename(site.state + "/staging/\(intent.staging)/\(number)", file) == 0 else {
                    throw TestFailure("rename \(path)")
                }
            case .remove(let path): unlink(site.www + "/\(path)")
            case .makeFolder(let path): mkdir(site.www + "/\(path)", 0o755)
            }
        }
        site.close()
    }

    /// Whoever has a page can have what it names; also where a new folder is placed whole, with all that is in it.
    @Test func `a burst places what is no page first, and pages last`() throws {
        let site = try Site(.folder)
        let first = try site.commit([
            "index.html": "1", "about.html": "1", "z.css": "1", "b/page/index.html": "1", "b/page/x.png": "1",
            "fonts/a.woff2": "1", "z/deep/y/z.js": "1", "a/b/c.HTM": "1",
        ])
        guard case .burst(let intent) = try site.stage(first).place else { throw TestFailure("not a burst") }
        let paths = intent.steps.compactMap { step in
            if case .place(_, let path) = step { path.description } else { nil as String? }
        }
        #expect(Set(paths.prefix(3)) == ["fonts", "z", "z.css"], "\(paths)")
        #expect(Set(paths.dropFirst(3)) == ["index.html", "about.html", "b", "a"], "\(paths)")
        #expect(paths.count == intent.steps.count)
        site.close()
    }

    @Test func `a burst that was interrupted after any step is finished by the next start`() throws {
        var steps = 1
        var count = 0
        while count <= steps {
            let site = try Site(.folder)
            let first = try site.commit([
                "index.html": "1", "a.css": "1", "gone": "1", "old/only": "1", "s": "1", "grows": "1",
            ])
            let second = try site.commit([
                "index.html": "2", "a.css": "2", "gone": nil, "old/only": nil, "grows": nil, "grows/in": "2",
                "new/page.html": "2",
            ])
            try site.publish(first)
            try site.folder.write("mine", to: "www/old/mine")
            try interrupt(site, second, after: count, of: &steps)
            #expect(try recovered(site.open()), "after \(count) steps")
            #expect(try site.differences(second) == ["surplus: old/mine"], "after \(count) steps")
            #expect(try site.shows(second))
            #expect(try site.lost() == [:], "after \(count) steps")
            #expect(!site.folder.has(".sidekick/www/intent") && !site.folder.has(".sidekick/www/record.next"))
            #expect(names(site, "staging") == [])
            #expect(try !recovered(site.open()))
            #expect(try site.stage(second).filesWritten == 0)
            count += 1
        }
        #expect(count > 7)
    }

    /// What leaves before something else comes in its place is not taken away once more when that has come.
    @Test func `a link that leaves first and comes last is there, after whichever step the burst was interrupted`()
        throws
    {
        var (steps, count) = (1, 0)
        while count <= steps {
            let site = try Site(.folder)
            let first = try site.commit(["x/p/file": "1", "y": "1"], links: ["q": "x/p/../../x"])
            try FileManager.default.removeItem(atPath: site.source.folder("x/p"))
            let second = try site.commit(["y": "2"], links: ["x/p": "..", "q": "y"])
            try site.publish(first)
            try interrupt(site, second, after: count, of: &steps)
            #expect(try recovered(site.open()), "after \(count) steps")
            #expect(try site.differences(second) == [] && site.lost() == [:], "after \(count) steps")
            count += 1
        }
        #expect(count > 4)
    }

    @Test func `compressed files are those of their pages, after whichever step the burst was interrupted`() throws {
        var (steps, count) = (1, 0)
        while count <= steps {
            let site = try Site(.folder, options: PublishingOptions(recipe: Recipe(compression: .gzip)))
            func page(_ text: String) -> String { String(repeating: text + " ", count: 1_000) }
            let first = try site.commit(["index.html": page("one"), "gone.html": page("one"), "same.css": page("one")])
            let second = try site.commit(["index.html": page("two"), "gone.html": nil, "new.html": page("new")])
            try site.publish(first)
            let source = try Repository(opening: site.source.path)
            let store = try site.publisher.destination.store.openToFill()
            try store.copy(id(first), depth: 1, from: source) { _ in }
            try site.tidy()
            #expect(try site.status("index.html.gz") != nil)
            try interrupt(site, second, after: count, of: &steps)
            #expect(try recovered(site.open()), "after \(count) steps")
            #expect(
                try site.differences(second).sorted() == [
                    "surplus: index.html.gz", "surplus: new.html.gz", "surplus: same.css.gz",
                ],
                "after \(count) steps")
            #expect(try site.publisher.survey() == 0 && site.lost() == [:], "after \(count) steps")
            for name in ["index.html", "new.html", "same.css"] {
                let unpacked = try Command.run(["gzip", "-dc", site.www + "/\(name).gz"]).text
                #expect(try unpacked == site.read(name), "\(name), after \(count) steps")
            }
            count += 1
        }
        #expect(count > 6)
    }

    @Test(arguments: [0, 2, 4, 6], [true, false])
    func `a burst that cannot be finished does not stand in the way of the next commit`(count: Int, back: Bool) throws {
        let site = try Site(.folder)
        let files: [String: String?] = ["index.html": "1", "a.css": "1", "gone": "1", "old/only": "1"]
        let first = try site.commit(files)
        let second = try site.commit([
            "index.html": "2", "a.css": "2", "gone": nil, "old/only": nil, "second": "2", "new/page.html": "2",
        ])
        let third = try back ? first : site.commit(["index.html": "3", "third": "3", "second": nil])
        try site.publish(first)
        var steps = 0
        try interrupt(site, second, after: count, of: &steps)
        // What was staged can no longer be reached: every attempt to finish fails.
        let staged = site.state + "/staging/\(second)"
        try FileManager.default.removeItem(atPath: staged)
        try Data().write(to: URL(fileURLWithPath: staged))
        try site.open()
        #expect(try !site.shows(first) && !site.shows(second))
        try site.publish(third)
        #expect(try site.differences(third) == [], "after \(count) of \(steps)")
        #expect(try site.shows(third))
        #expect(try site.lost() == [:])
        #expect(!site.folder.has(".sidekick/www/intent") && !site.folder.has(".sidekick/www/record.next"))
        #expect(names(site, "staging") == [])
    }

    @Test func `a burst whose record was renamed already is finished too`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "b": "1", "gone": "1"])
        let commit = try site.commit(["a": "2", "b": "2", "gone": nil])
        var steps = 0
        try interrupt(site, commit, after: 3, of: &steps)
        #expect(steps == 3)
        #expect(rename(site.state + "/record.next", site.state + "/record") == 0)
        try site.open()
        #expect(try site.shows(commit))
        #expect(try site.differences(commit) == [])
        #expect(try site.lost() == [:])
    }

    @Test func `what somebody put in the way between the crash and the start is kept`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "b": "1", "gone": "1"])
        let commit = try site.commit(["a": "2", "b": "2", "gone": nil, "new": "2"])
        var steps = 0
        try interrupt(site, commit, after: 0, of: &steps)
        for name in ["b", "gone", "new"] { try site.folder.write("mine", to: "www/" + name) }
        try site.open()
        #expect(try site.differences(commit) == [])
        #expect(try site.lost() == ["b": "mine", "gone": "mine", "new": "mine"])
    }

    @Test(arguments: [0, 1, 40, 90])
    func `an intent that cannot be read is dropped, and the next publish converges`(length: Int) throws {
        let site = try Site(.folder)
        let first = try site.commit(["a": "1", "b": "1", "gone": "1"])
        try site.publish(first)
        let second = try site.commit(["a": "2", "b": "2", "gone": nil])
        var steps = 0
        try interrupt(site, second, after: 0, of: &steps)
        #expect(truncate(site.state + "/intent", length) == 0)
        try site.open()
        #expect(try site.differences(first) == [])
        #expect(try !site.shows(second))
        try site.publish(second)
        #expect(try site.differences(second) == [])
        #expect(try site.lost() == [:])
    }

    @Test(arguments: ["", "sidekick record 1\n", "\0\0\0\0"])
    func `a record that cannot be read costs nothing that is served`(text: String) throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "b": "1"])
        let before = try site.status("a")
        try site.folder.write(text, to: ".sidekick/www/record")
        try site.open()
        #expect(try site.publisher.published() == nil)
        let commit = try site.commit(["b": "2"])
        try site.publish(commit)
        #expect(try site.status("a") == before)
        #expect(try site.differences(commit) == [])
        #expect(try site.shows(commit))
    }

    @Test(arguments: LayoutKind.allCases)
    func `a store that no longer has the old commit updates by what stands on the disk`(layout: LayoutKind) throws {
        let site = try Site(layout)
        try site.publish(["same": "x", "changed": "1", "dir/gone": "1", "l": "1"], links: ["k": "same"])
        let before = try site.status("same")
        // Another repository, as after a store that was lost and fetched anew.
        let other = try Site(layout)
        let commit = try other.commit(["same": "x", "changed": "2", "new": "2"], links: ["l": "same"])
        try site.open()
        try site.publish(commit, from: other.source.path)
        #expect(try site.status("same") == before)
        let resolved = try #require(realpath(site.www, nil))
        defer { free(resolved) }
        #expect(try differences(String(cString: resolved), from: other.source.path, commit) == [])
        #expect(try site.status("dir") == nil && site.status("k") == nil)
        #expect(try site.lost() == [:])
    }

    @Test func `an intent is not carried out over what another layout has shown since`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "b": "1", "gone": "1"])
        var steps = 0
        let second = try site.commit(["a": "2", "b": "2", "gone": nil])
        try interrupt(site, second, after: 1, of: &steps)
        site.close()
        site.options.layout = .link
        try site.open()
        let third = try site.commit(["a": "3", "b": "3", "gone": "3"])
        try site.publish(third)
        #expect(try site.differences(third) == [])
        site.close()
        site.options.layout = .folder
        try site.open()
        #expect(try site.differences(third) == [])
        #expect(try site.lost() == [:])
    }
}

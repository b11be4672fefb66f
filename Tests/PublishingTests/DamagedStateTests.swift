import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `State that is damaged, or cannot be changed` {
    private func spare(_ site: Site) throws -> String {
        let live = (try FileManager.default.destinationOfSymbolicLink(atPath: site.www) as NSString).lastPathComponent
        return try #require(site.names("trees").first { $0 != live })
    }

    @Test(arguments: ["of an older version", "empty", "gone"])
    func `a live tree whose record cannot be read stays as it is, and the next publish knows again`(how: String) throws
    {
        let site = try Site(.link)
        let commit = try site.commit(["a": "1", "d/b": "2"])
        try site.publish(commit)
        let record = site.state + "/records/" + site.names("records")[0]
        if how == "gone" {
            unlink(record)
        } else {
            let text = how == "empty" ? "" : "sidekick record 1\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: record))
        }
        try site.open()
        #expect(try site.publisher.survey() == 0)
        try site.tidy()
        #expect(try site.differences(commit) == [] && site.lost() == [:])
        try site.publish(commit)
        #expect(try site.shows(commit) && site.differences(commit) == [])
    }

    @Test func `a segment that is missing takes no file from the live tree`() throws {
        let site = try Site(.link)
        var files: [String: String?] = [:]
        for number in 0..<600 { files["file\(number)"] = "\(number)" }
        let commit = try site.commit(files)
        try site.publish(commit)
        #expect(!site.names("segments").isEmpty)
        for name in site.names("segments") { unlink(site.state + "/segments/" + name) }
        try site.open()
        #expect(try site.publisher.survey() == 0)
        try site.tidy()
        #expect(try site.differences(commit) == [] && site.lost() == [:])
    }

    @Test func `a dirty path that is a folder in the commit leaves what is in the folder`() throws {
        let site = try Site(.link)
        try site.publish(["p/x": "1", "p/y": "2", "o": "1"])
        try site.tidy()
        try TreePool(Destination(site.www, state: nil)).noteDirty([TreePath("p")], of: try spare(site))
        let commit = try site.commit(["o": "2"])
        try site.publish(commit)
        #expect(try site.differences(commit) == [])
    }

    /// As root would make it: everybody else is refused by the mode, root by the flag.
    @Test(.enabled(if: geteuid() == 0, "the flag `immutable` needs root"))
    func `a spare that cannot be changed does not stand in the way`() throws {
        let site = try Site(.link)
        try site.publish(["p/x": "1", "o": "1"])
        try site.tidy()
        let file = site.state + "/trees/" + (try spare(site)) + "/p"
        try Command.run(["chattr", "+i", file])
        // It is moved out of the way.
        defer { _ = try? Command.run(["chattr", "-R", "-i", site.state]) }
        for number in 2..<5 {
            let commit = try site.commit(["p/x": "\(number)"])
            try site.publish(commit)
            #expect(try site.differences(commit) == [])
            try site.open()
            try site.tidy()
        }
    }

    /// As `rm -r` leaves it while something is written into it.
    @Test(arguments: ["no mark", "no mark, nor references", "one pack"])
    func `a store that was removed in part is ours, in a folder that is`(rest: String) throws {
        let site = try Site(.link)
        let commit = try site.commit(["a": "1"])
        try site.publish(commit)
        let store = Store(path: site.state + "/git")
        try store.openToFill().copy(
            try #require(ObjectID(hex: commit)), depth: 1, from: Repository(opening: site.source.path)
        ) { _ in }
        try site.removeStore(butFor: rest)
        #expect(!store.hasOwnershipMark || rest == "no mark")
        let next = try site.commit(["a": "2"])
        #expect(try Publisher.look(at: site.www, state: nil, options: site.options).path == site.www)
        try site.open()
        #expect(store.hasOwnershipMark)
        try store.openToFill().copy(
            try #require(ObjectID(hex: next)), depth: 1, from: Repository(opening: site.source.path)
        ) { _ in }
        try site.publish(next)
        #expect(try site.differences(next) == [])
    }

    @Test
    func `in a state folder that others use, what stands in the store's place stays theirs, until we have been there`()
        throws
    {
        let folder = try TemporaryFolder()
        try folder.write("theirs", to: "state/git/objects/x")
        let destination = try Destination(folder("www"), state: folder("state"))
        let before = try folder.snapshot("state")
        let isTold = { (error: any Error) in
            "\(error)".contains("git store belongs, is something else")
        }
        #expect {
            try Publisher.open(destination, options: .init())
        } throws: {
            isTold($0)
        }
        #expect {
            try Publisher.look(at: folder("www"), state: folder("state"), options: .init())
        } throws: {
            isTold($0)
        }
        #expect(try folder.snapshot("state") == before)
        try FileManager.default.removeItem(atPath: folder("state/git"))
        _ = try Publisher.open(destination, options: .init())
        try folder.write("left", to: "state/git/objects/pack/x")
        _ = try Publisher.open(destination, options: .init())
        #expect(destination.store.hasOwnershipMark)
    }

    @Test func `what drifted is kept once, however often the pass fails`() throws {
        let site = try Site(.link)
        try site.publish(["p": "1", "o": "1"])
        try site.tidy()
        try Data("edited".utf8).write(to: URL(fileURLWithPath: site.www + "/p"), options: [])
        site.options.limits.files = 1
        try site.open()
        #expect(try site.publisher.survey() == 1)
        let commit = try site.commit(["o": "2"])
        for _ in 0..<3 { #expect(throws: PublishingError.self) { try site.publish(commit) } }
        #expect(try site.lost() == ["p": "edited"] && site.names("lost+found").count == 1)
    }

    @Test func `a folder between two commits is known as that after a restart`() throws {
        let site = try Site(.folder)
        let first = try site.commit(["x": "1", "y": "1"])
        try site.publish(first)
        // As an update that was given up leaves it: one path is the other commit's.
        let home = try Directory(opening: site.state)
        let shelf = RecordShelf(home: site.state)
        try Data("2".utf8).write(to: URL(fileURLWithPath: site.www + "/x"))
        let status = try #require(try site.status("x"))
        var mixed = try #require(try shelf.read(FolderLayout.recordName, in: home))
        let blob = try id(site.source.blob("2"))
        mixed.apply([
            TreePath("x"): RecordedEntry(
                kind: .file(executable: false), content: .blob(blob), size: 1, mtime: status.mtime, inode: status.inode)
        ])
        mixed.root = 0
        try shelf.write(mixed, as: FolderLayout.recordName, in: home)
        try site.open()
        _ = try site.publisher.survey()
        #expect(try !site.shows(first))
        try site.publish(first)
        #expect(try site.differences(first) == [])
    }
}

extension Site {
    /// A part of the store is left by whoever removed it.
    fileprivate func removeStore(butFor rest: String) throws {
        let store = state + "/git"
        let manager = FileManager.default
        for name in try manager.contentsOfDirectory(atPath: store) {
            let stays =
                rest == "one pack"
                ? name == "objects" : name != "sidekick-origin" && (rest == "no mark" || name != "refs")
            if !stays { try manager.removeItem(atPath: store + "/" + name) }
        }
        let packs = store + "/objects/pack"
        for name in try manager.contentsOfDirectory(atPath: packs) where rest == "one pack" && name.hasSuffix(".idx") {
            try manager.removeItem(atPath: packs + "/" + name)
        }
    }
}

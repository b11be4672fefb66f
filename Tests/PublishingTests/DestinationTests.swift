import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `What stands at DESTINATION` {
    @Test(arguments: [nil, .link, .folder] as [LayoutKind?])
    func `a file is refused and stays`(layout: LayoutKind?) throws {
        let site = try Site(layout)
        try site.folder.write("theirs", to: "www")
        let before = try site.folder.snapshot()
        #expect {
            try site.open()
        } throws: {
            if case PublishingError.destinationUnusable = $0 { true } else { false }
        }
        #expect(try site.folder.snapshot() == before)
    }

    @Test(arguments: [nil, .link] as [LayoutKind?], ["nowhere", "elsewhere", "/nonexistent/x"])
    func `a foreign link is replaced, kept in lost+found, and what it leads to stays`(
        layout: LayoutKind?, target: String
    ) throws {
        let site = try Site(layout)
        try site.folder.write("outside", to: "elsewhere/a")
        let before = try site.folder.snapshot("elsewhere")
        #expect(symlink(target, site.www) == 0)
        let commit = try site.commit(["a": "1"])
        let notices = try site.publish(commit)
        #expect(notices.count == 1)
        #expect(try site.publisher.layoutKind == .link)
        #expect(try site.lost() == ["www": "-> " + target])
        #expect(try site.differences(commit) == [])
        #expect(try site.folder.snapshot("elsewhere") == before)
        #expect(!site.folder.has("nowhere"))
    }

    @Test(arguments: ["nowhere", "elsewhere"])
    func `the layout folder refuses a link and leaves it`(target: String) throws {
        let site = try Site(.folder)
        try site.folder.write("outside", to: "elsewhere/a")
        let before = try site.folder.snapshot("elsewhere")
        #expect(symlink(target, site.www) == 0)
        let commit = try site.commit(["a": "1"])
        #expect {
            try site.publish(commit)
        } throws: {
            if case PublishingError.destinationUnusable = $0 { true } else { false }
        }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: site.www) == target)
        #expect(try site.folder.snapshot("elsewhere") == before)
        #expect(!site.folder.has("nowhere"))
    }

    @Test func `an empty folder becomes a link with the layout link`() throws {
        let site = try Site(.link)
        try FileManager.default.createDirectory(atPath: site.www, withIntermediateDirectories: false)
        let commit = try site.commit(["a": "1"])
        #expect(try site.publish(commit) == [])
        #expect(try site.folder.status("www")?.kind == .link)
        #expect(try site.differences(commit) == [])
        #expect(site.names("trees") == [commit])
        site.options.layout = nil
        try site.open()
        #expect(try site.publisher.layoutKind == .link && site.shows(commit))
    }

    @Test func `a folder with foreign files becomes a link and keeps them in lost+found`() throws {
        let site = try Site(.link)
        try site.folder.write("mine", to: "www/dir/mine")
        try site.folder.write("theirs", to: "www/a")
        let commit = try site.commit(["a": "1"])
        #expect(try site.publish(commit).count == 2)
        #expect(try site.differences(commit) == [])
        #expect(try site.lost() == ["dir/mine": "mine", "a": "theirs"])
    }

    @Test func `a folder that was published becomes a link, and only what is foreign is kept`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "dir/b": "1"])
        try site.folder.write("mine", to: "www/dir/mine")
        site.options.layout = .link
        try site.open()
        let commit = try site.commit(["a": "2"])
        try site.publish(commit)
        #expect(try site.differences(commit) == [])
        #expect(try site.lost() == ["dir/mine": "mine"])
        #expect(!site.folder.has(".sidekick/www/record"))
    }

    @Test func `the link is relative and names the commit`() throws {
        let site = try Site(.link)
        let commit = try site.commit(["a": "1"])
        try site.publish(commit)
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: site.www)
        #expect(target == ".sidekick/www/trees/" + commit)
    }

    @Test func `a foreign file in a tree, and one that was edited there, survive its end`() throws {
        let site = try Site(.link)
        try site.publish(["a": "1", "dir/b": "1", "same": "1"])
        try site.folder.write("mine", to: "www/dir/new/mine")
        for name in ["a", "same"] {
            let file = open(site.www + "/" + name, O_WRONLY | O_TRUNC | O_CLOEXEC)
            #expect(write(file, "edited", 6) == 6)
            close(file)
        }
        let commit = try site.commit(["a": "2"])
        try site.publish(commit)
        #expect(try site.differences(commit) == [], "an edited file must not live on in the next tree")
        // What was live trails as a spare; one that no update can use goes.
        site.options.recipe.modificationTimes = .content
        try site.open()
        try site.publish(commit)
        try site.tidy()
        #expect(try site.lost() == ["dir/new/mine": "mine", "a": "edited", "same": "edited"])
        #expect(site.names("trees").allSatisfy { $0.hasPrefix(commit) })
    }

    @Test func `a tree within grace is kept as it is`() throws {
        let site = try Site(.link, grace: 1000)
        let first = try site.commit(["a": "1"])
        try site.publish(first)
        let second = try site.commit(["a": "2"])
        try site.publish(second)
        try site.tidy()
        #expect(try site.folder.read(".sidekick/www/trees/\(first)/a") == "1")
        #expect(try site.folder.read(".sidekick/www/trees/\(second)/a") == "2")
    }

    @Test func `what was staged and never shown is not shown, and trails as a spare`() throws {
        let site = try Site(.link)
        let first = try site.commit(["a": "1"])
        try site.publish(first)
        let second = try site.commit(["a": "2"])
        _ = try site.stage(second)
        #expect(try site.read("a") == "1" && site.shows(first) && !site.shows(second))
        try site.open()
        try site.tidy()
        #expect(try site.read("a") == "1" && site.shows(first) && !site.shows(second))
        #expect(try site.differences(first) == [])
        let staged = try site.stage(second)
        #expect(staged.filesWritten == 0, "it is there already")
    }

    @Test func `what is somebody else's in a shared state folder is refused by its path and left alone`() throws {
        let site = try Site(.link)
        let shared = site.folder("shared")
        for name in ["git/project.git/HEAD", "git.new/mine", "git.old/mine", "git.damaged/mine", "git/index.lock"] {
            try site.folder.write("mine", to: "shared/" + name)
        }
        let before = try site.folder.snapshot()
        let error = #expect(throws: PublishingError.self) {
            try Publisher.open(Destination(site.www, state: shared), options: site.options)
        }
        #expect(error?.description.contains(shared + "/git") == true)
        #expect(error?.remedy.contains("SIDEKICK_STATE") == true)
        let after = try site.folder.snapshot()
        #expect(before.allSatisfy { after[$0.key] == $0.value })
        // Where only the names beside it are taken, the store comes to be, is compacted and moved aside, and nothing of theirs goes.
        try FileManager.default.removeItem(atPath: shared + "/git")
        let publisher = try Publisher.open(Destination(site.www, state: shared), options: site.options).publisher
        let store = publisher.destination.store
        _ = try store.openToFill()
        #expect(try store.compact(keeping: [], depth: 1) == [])
        #expect(try store.setAside() == shared + "/git.damaged2")
        _ = try store.openToFill()
        #expect(try store.setAside() == shared + "/git.damaged2", "one is kept")
        for name in ["git.new/mine", "git.old/mine", "git.damaged/mine"] {
            #expect(try site.folder.read("shared/" + name) == "mine")
        }
        #expect(try site.folder.snapshot().keys.filter { $0.hasPrefix("shared/git.new2") } == [])
    }
}

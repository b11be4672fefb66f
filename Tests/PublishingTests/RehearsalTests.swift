import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `What a publish would change` {
    /// A path's kind, and its bytes.
    private func shown(_ site: Site) throws -> [String: String] {
        var shown: [String: String] = [:]
        let root = site.www + "/."
        for case let name as String in FileManager.default.enumerator(atPath: root) ?? .init() {
            switch try site.status(name)?.kind {
            case .file: shown[name] = "\(try site.status(name)?.permissions ?? 0) " + (try site.read(name))
            case .link:
                shown[name] = "-> " + (try FileManager.default.destinationOfSymbolicLink(atPath: site.www + "/" + name))
            case .folder:
                let children = try FileManager.default.contentsOfDirectory(atPath: site.www + "/" + name)
                if children.isEmpty { shown[name] = "an empty folder" }
            default: break
            }
        }
        return shown
    }

    private func expected(_ site: Site, _ commit: String) throws -> ExpectedChanges {
        let look = try Publisher.look(at: site.www, state: nil, options: site.options)
        let folder = try TemporaryFolder()
        let rehearsal = try Publisher.rehearsal(of: look, in: folder.path, options: site.options)
        let contents = rehearsal.destination.contents(of: try Repository(opening: site.source.path))
        return try rehearsal.expectedChanges(by: contents.repository.commit(id(commit)), from: contents, at: look)
    }

    @Test(arguments: LayoutKind.allCases, ["", "x,a/b"])
    func `is what it changes, from commit to commit`(layout: LayoutKind, left: String) throws {
        var numbers = SeededNumbers(seed: SeededNumbers.seed &+ 7)
        let site = try Site(layout, in: Site.memory)
        let patterns = left.split(separator: ",").map { "/\($0)/" }
        if !patterns.isEmpty { site.options.recipe.selection = try PathSelection(exclude: patterns) }
        let walk = RandomTrees(count: 60, using: &numbers)
        var before: [String: String] = [:]
        for (number, commit) in try walk.commit(in: site.source, using: &numbers).enumerated() {
            let changes = try expected(site, commit)
            let visible = try site.publisher.published()?.commit
            #expect(changes.published == visible)
            try site.publish(commit)
            let after = try shown(site)
            let told: Comment = "seed \(SeededNumbers.seed), commit \(number)"
            func paths(_ items: [ExpectedChanges.Item]) -> [String] { items.map(\.path.description).sorted() }
            #expect(paths(changes.added) == after.keys.filter { before[$0] == nil }.sorted(), told)
            #expect(paths(changes.removed) == before.keys.filter { after[$0] == nil }.sorted(), told)
            #expect(
                paths(changes.changed) == after.keys.filter { before[$0] != nil && before[$0] != after[$0] }.sorted(),
                told)
            for item in changes.added + changes.changed {
                guard case .file(let text, _) = walk.trees[number][item.path.description] else { continue }
                #expect(item.bytes == text.utf8.count, told)
            }
            // Each path of the commit that is not there, or is an empty folder, is named, and no other.
            let missing = walk.trees[number].filter { $0.value == .submodule || after[$0.key] == nil }.keys
            let named = Set(changes.leftOut.map(\.path.description))
            for path in missing {
                #expect(
                    named.contains { path == $0 || path.hasPrefix($0 + "/") }, "\(path) is not named, commit \(number)")
            }
            for name in named {
                #expect(
                    missing.contains { $0 == name || $0.hasPrefix(name + "/") }, "\(name) is named, commit \(number)")
            }
            before = after
        }
        #expect(try site.lost() == [:])
    }

    @Test func `names why something is left out, and a folder that is not there`() throws {
        let site = try Site(.link)
        let commit = try site.commit(
            ["a.html": "1", "drafts/x": "2", "picture.png": try lfsPointer(to: Data("3".utf8)).text],
            links: ["out": "/etc/passwd"])
        site.options.recipe.selection = try PathSelection(exclude: ["drafts/"])
        let reasons = try expected(site, commit).leftOut.map { "\($0.path): \($0.reason)" }
        #expect(
            reasons == [
                "drafts: by SIDEKICK_INCLUDE and SIDEKICK_EXCLUDE",
                "out: a symbolic link that leads outside, to /etc/passwd",
                "picture.png: a pointer of Git LFS, as it is (SIDEKICK_LFS=off)",
            ])
        site.options.recipe.subdirectory = TreePath("public")
        #expect {
            try expected(site, commit)
        } throws: {
            "\($0)".contains("public")
        }
    }
}

@Suite struct `A look at DESTINATION` {
    private func look(_ folder: TemporaryFolder, _ name: String, _ layout: LayoutKind? = nil) throws -> DestinationLook
    {
        var options = PublishingOptions()
        options.layout = layout
        return try Publisher.look(at: folder(name), state: nil, options: options)
    }

    @Test func `makes nothing, above it either`() throws {
        let folder = try TemporaryFolder()
        let found = try look(folder, "a/b/c/www")
        #expect(found.destination == nil && found.layout == .link && !found.isOwned && found.free > 0)
        #expect(try look(folder, "www").destination != nil)
        #expect(try folder.snapshot() == [:])
    }

    @Test func `tells who publishes there, and when nobody does any more`() throws {
        let site = try Site(.exchange)
        try site.publish(["a": "1"])
        let before = try site.folder.snapshot()
        let found = try look(site.folder, "www")
        #expect(found.isOwned && found.owner == getpid() && found.layout == .exchange)
        #expect(try found.published()?.commit == site.publisher.published()?.commit)
        #expect(try site.folder.snapshot() == before)
        site.close()
        #expect(try !look(site.folder, "www").isOwned)
    }

    @Test func `fails where a start would`() throws {
        let folder = try TemporaryFolder()
        try folder.write("a file", to: "www")
        try folder.write("x", to: "real/x")
        #expect(throws: PublishingError.self) { try look(folder, "www") }
        #expect(symlink("real", folder("link")) == 0)
        #expect(throws: PublishingError.self) { try look(folder, "link", .folder) }
        #expect(try look(folder, "link").layout == .link)
        #expect(throws: (any Error).self) { try look(folder, "www/below") }
        #expect(throws: PublishingError.self) { try Publisher.look(at: "/", state: nil, options: .init()) }
    }

    @Test func `a second publisher is told who has it, and gets it when that one ends`() throws {
        let site = try Site(.link)
        try site.open()
        #expect {
            try Publisher.open(Destination(site.www, state: nil), options: site.options)
        } throws: {
            "\($0)".contains("\(getpid())")
        }
        // Who removes a lock does not let another one in unseen: this one makes it anew with its next pass.
        unlink(site.state + "/lock")
        #expect(try !site.shows(site.commit(["a": "1"])))
        #expect(try Destination(site.www, state: nil).isOwned)
        site.close()
        _ = try Publisher.open(Destination(site.www, state: nil), options: site.options)
    }

    @Test func `of two that share a state folder the second is told`() throws {
        let folder = try TemporaryFolder()
        let first = try Publisher.open(Destination(folder("a"), state: folder("state")), options: .init())
        #expect {
            try Publisher.open(Destination(folder("b"), state: folder("state")), options: .init())
        } throws: {
            "\($0)".contains("SIDEKICK_STATE \(folder("state"))")
        }
        withExtendedLifetime(first) {}
    }
}

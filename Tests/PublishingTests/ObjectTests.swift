import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Files of Git LFS` {
    /// A site whose objects are put into its store by hand.
    private struct World {
        let site: Site
        private let disk = GitExecutor(label: "test.lfs")

        init(_ layout: LayoutKind, lfs: LFSPolicy? = .on, _ times: ModificationTimes = .commit) throws {
            site = try Site(layout)
            site.options.recipe.lfs = lfs
            site.options.recipe.modificationTimes = times
            site.options.setsLFS = true
        }

        var store: LFSStore { get throws { try site.publisher.destination.lfs } }

        /// - Returns: the pointer.
        @discardableResult
        func bring(_ text: String) async throws -> String {
            let pointer = try lfsPointer(to: Data(text.utf8))
            let id = try #require(LFSObjectID(hex: pointer.id.utf8))
            let object = LFSObject(id: id, size: Int64(text.utf8.count))
            let receiver = LFSReceiver(object, into: try store, on: disk)
            _ = try await receiver.begin()
            _ = try await receiver.append(Array(text.utf8))
            guard case .whole = try await receiver.verdict() else { throw TestFailure("not whole") }
            try store.admit([object])
            return pointer.text
        }

        func holds(_ text: String) throws -> Bool {
            let pointer = try lfsPointer(to: Data(text.utf8))
            let id = try #require(LFSObjectID(hex: pointer.id.utf8))
            return try store.contains(LFSObject(id: id, size: Int64(text.utf8.count)))
        }

        func pointer(_ text: String) throws -> String { try lfsPointer(to: Data(text.utf8)).text }
        func read(_ name: String) throws -> String { try site.folder.read("www/" + name) }
        func tidy() throws { _ = try site.publisher.tidy(makingSpares: true) { false } }

        /// What differs from the commit, byte by byte.
        func differences() throws -> [String] {
            try site.publisher.compare(in: Repository(opening: site.source.path)).differences
        }
    }

    @Test(arguments: LayoutKind.allCases, [ModificationTimes.commit, .content])
    func `are published, updated, moved and removed`(layout: LayoutKind, times: ModificationTimes) async throws {
        let world = try World(layout, times)
        var rounds: [[String: String?]] = []
        let (one, two) = (try world.pointer("one"), try world.pointer("two"))
        rounds.append(["a.png": one, "b/same.png": one, "page.html": "1"])
        rounds.append(["a.png": two, "page.html": "2"])
        rounds.append(["a.png": nil, "b/moved.png": two])
        rounds.append(["b/same.png": "plain now"])
        rounds.append(["b/same.png": one, "c.png": one, "d.png": one])
        var expected: [String: String] = [:]
        for round in rounds {
            for text in ["one", "two"] where round.values.contains(try world.pointer(text)) {
                try await world.bring(text)
            }
            try world.site.publish(round)
            try world.tidy()
            for (name, text) in round { expected[name] = text == one ? "one" : text == two ? "two" : text }
            for (name, text) in expected { #expect(try world.read(name) == text, "\(name)") }
            #expect(try world.differences() == [])
            #expect(try !world.site.publisher.hasDrifted && world.site.publisher.survey() == 0)
        }
        let published = try #require(try world.site.publisher.published())
        #expect(published.lfsObjects == 4 && published.lfsBytes == 12)
        // As after a restart.
        try world.site.open()
        #expect(try world.site.publisher.published()?.lfsObjects == 4)
    }

    @Test(arguments: LayoutKind.allCases)
    func `that are executable, or have two times, are copies`(layout: LayoutKind) async throws {
        let world = try World(layout)
        let pointer = try await world.bring("tool")
        try world.site.publish(["tool": pointer])
        try world.site.source.folder.write(pointer, to: "run")
        chmod(world.site.source.folder("run"), 0o755)
        try world.site.publish(["other": pointer])
        #expect(try world.differences() == [])
        #expect(access(world.site.folder("www/run"), X_OK) == 0 && access(world.site.folder("www/tool"), X_OK) != 0)
        #expect(try world.read("run") == "tool" && world.read("other") == "tool")
    }

    @Test(arguments: LayoutKind.allCases)
    func `that are not here are told before anything is made`(layout: LayoutKind) async throws {
        let world = try World(layout)
        try world.site.publish(["page.html": "1"])
        let pointer = try world.pointer("nowhere")
        #expect { try world.site.publish(["a/x.png": pointer, "b.png": pointer, "page.html": "2"]) } throws: { error in
            (error as? MissingObjects)?.places.map(\.path.description).sorted() == ["a/x.png", "b.png"]
        }
        #expect(try world.read("page.html") == "1" && !world.site.folder.has("www/b.png"))
        try await world.bring("nowhere")
        try world.site.publish(["page.html": "2"])
        #expect(try world.read("a/x.png") == "nowhere")
    }

    @Test(arguments: LayoutKind.allCases)
    func `that somebody changed through their own name are made anew, and not from what was changed`(
        layout: LayoutKind
    ) async throws {
        let world = try World(layout)
        try world.site.publish(["a.png": try await world.bring("picture"), "b.html": "1"])
        let path = world.site.folder("www/a.png")
        var before = stat()
        stat(path, &before)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.write(contentsOf: Data("PICTURE".utf8))
        try file.close()
        // Not even the time tells.
        try Command.run(["touch", "-d", "@\(before.st_mtim.tv_sec)", path])
        #expect(try world.differences() == ["changed: a.png"])
        let verdict = try world.site.publisher.compare(in: Repository(opening: world.site.source.path))
        _ = try world.site.publisher.repair(verdict)
        // The store's file was the same one.
        #expect(throws: MissingObjects.self) { try world.site.publish(world.site.source.head) }
        try await world.bring("picture")
        try world.site.publish(world.site.source.head)
        #expect(try world.read("a.png") == "picture" && world.differences() == [])
    }

    /// Something else stands in an object's place in the store: it is missing, and comes there when it is brought.
    @Test(arguments: ["folder", "link", "file"])
    func `that something else stands in the place of are brought again`(other: String) async throws {
        let world = try World(.link)
        let pointer = try await world.bring("picture")
        let id = try #require(LFSObjectID(hex: try lfsPointer(to: Data("picture".utf8)).id.utf8))
        let path = "\(try world.store.path)/\(id.description.prefix(2))/\(id)"
        unlink(path)
        switch other {
        case "folder": try FileManager.default.createDirectory(atPath: path + "/x/y", withIntermediateDirectories: true)
        case "link": symlink("/etc/passwd", path)
        default: try Data("PICTURE".utf8).write(to: URL(filePath: path))
        }
        #expect(throws: MissingObjects.self) { try world.site.publish(["a.png": pointer]) }
        try await world.bring("picture")
        try world.site.publish(["b.html": "1"])
        #expect(try world.read("a.png") == "picture")
    }

    @Test(arguments: LayoutKind.allCases)
    func `stay for as long as a tree has them, or one that can be gone back to`(layout: LayoutKind) async throws {
        let world = try World(layout)
        for number in 0..<6 {
            try world.site.publish(["a.png": try await world.bring("picture \(number)"), "b.html": "\(number)"])
            try world.tidy()
        }
        try world.tidy()
        #expect(try world.holds("picture 5"))
        #expect(try !world.holds("picture 0") && !world.holds("picture 1"))
    }

    @Test(arguments: LayoutKind.allCases)
    func `are what they were for whoever had none, until a setting says otherwise`(layout: LayoutKind) async throws {
        let world = try World(layout, lfs: nil)
        let pointer = try await world.bring("picture")
        try world.site.publish(["a.png": pointer, "page.html": "1"])
        #expect(try world.read("a.png") == pointer)

        world.site.options.recipe.lfs = .on
        world.site.options.setsLFS = false
        // The store that the program fills.
        try Command.run(
            ["git", "clone", "-q", "--no-local", "--bare", world.site.source.path, world.site.state + "/git"],
            environment: GitRepository.environment())
        try Data().write(to: URL(filePath: world.site.state + "/git/sidekick-origin"))
        let notices = try world.site.open()
        #expect(notices.contains(.pointersStay(count: 1)), "\(notices)")
        try world.site.publish(["page.html": "2"])
        #expect(try world.read("a.png") == pointer)

        world.site.options.setsLFS = true
        #expect(try world.site.open().isEmpty)
        #expect(try !world.site.publisher.hasPublished(id(world.site.source.head)))
        try world.site.publish(world.site.source.head)
        #expect(try world.read("a.png") == "picture")
        world.site.options.recipe.lfs = .off
        try world.site.open()
        try world.site.publish(world.site.source.head)
        #expect(try world.read("a.png") == pointer)
    }
}

import Foundation
import Git
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Upstream

/// What an update asks for: enough of the history that the server finds what is here in it, and no more than it takes.
@Suite struct `The depth of an update` {
    /// A site of some hundred pages, its server, and a store that follows it.
    private final class World {
        let remote: SmartRemote
        let upstream: any Upstream
        let folder: TemporaryFolder

        init(_ door: SmartRemote.Door) async throws {
            var files: [String: String?] = [:]
            for number in 0..<300 { files["\(number % 20)/\(number).html"] = "page \(number)" }
            remote = try await SmartRemote(door, files: files)
            // What has a history before it is followed.
            try remote.source.commits((0..<20).map { ["0/0.html": "old \($0)"] })
            try remote.push(["0/0.html": "0"])
            (upstream, folder) = (try remote.upstream(), try TemporaryFolder())
        }

        var store: Store { Store(path: folder("git")) }
        var view: StoreView { StoreView(path: store.path) }

        /// - Returns: how many objects came.
        func fetch(depth: Int = 1, maxBytes: Int64 = .max) async throws -> Int {
            let count = Largest()
            let advertisement = try await upstream.discover()
            try await upstream.fetch(
                FetchRequest(
                    advertisement: advertisement, store: store, depth: depth, mustFollow: nil, maxBytes: maxBytes)
            ) { count.note($0.totalObjects) }
            try store.open().noteFetched(advertisement.commit)
            #expect(try view.files(of: advertisement.commit) == remote.source.git("ls-tree", "-r", "HEAD"))
            let complaints = try view.fsck()
            #expect(complaints == "", "\(complaints)")
            return count.value
        }

        func publish(force: Bool = false) throws {
            try remote.source.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
        }

        var shallowCount: Int { get throws { try store.shallowCommits().count } }
    }

    private final class Largest: Sendable {
        private let state = Mutex(0)
        func note(_ value: Int) { state.withLock { $0 = max($0, value) } }
        var value: Int { state.withLock { $0 } }
    }

    /// A commit, three trees at most, and a page.
    private static let one = 5

    @Test(arguments: [SmartRemote.Door.http, .ssh, .git, .oldHTTP, .old, .oldGit])
    func `brings what differs, whatever the history does`(door: SmartRemote.Door) async throws {
        let world = try await World(door)
        let (source, one) = (world.remote.source, Self.one)
        func change(_ text: String) -> [String: String] { ["\(text.count % 20)/x.html": text] }
        func edit(_ text: String) throws { try source.commit(change(text)) }
        #expect(try await world.fetch() > 300)
        #expect(try world.shallowCount == 1)
        // One commit more, again and again: nothing of what was before, and no line for each.
        for number in 0..<12 {
            try world.remote.push(["1/1.html": "one more \(number)"])
            #expect(try await world.fetch() <= one, "\(number)")
        }
        #expect(try world.shallowCount <= 6)
        for count in [5, 100] {
            try source.commits((0..<count).map { change("of \(count), number \($0)") })
            try world.publish()
            let objects = try await world.fetch()
            #expect(objects <= one * 8, "\(count) more: \(objects)")
        }
        // A branch that left long before.
        for below in [3, 15] {
            try source.git("checkout", "-q", "-b", "side\(below)", "HEAD~\(below)")
            try source.commit(["18/side\(below).html": "on the side of \(below)"])
            try source.git("checkout", "-q", "main")
            try edit("meanwhile \(below)")
            try source.git("merge", "-q", "--no-edit", "side\(below)")
            try world.publish()
            let objects = try await world.fetch()
            #expect(objects <= one * 12, "a merge from \(below) below: \(objects)")
        }
        try source.git("commit", "-q", "--amend", "-m", "In other words")
        try world.publish()
        let amended = try await world.fetch()
        #expect(amended <= one * 8, "amended: \(amended)")
        for back in [1, 5, 30] {
            try source.git("reset", "-q", "--hard", "HEAD~\(back)")
            try world.publish()
            let objects = try await world.fetch()
            #expect(objects <= one * 16, "\(back) back: \(objects)")
        }
        // A history of its own that shares most pages.
        try source.git("checkout", "-q", "--orphan", "other")
        try edit("another history")
        try world.publish()
        let unrelated = try await world.fetch()
        #expect(unrelated <= one * 8 + 20, "another history: \(unrelated)")
        for number in 0..<3 {
            try edit("more of it, \(number)")
            try world.publish()
            let objects = try await world.fetch()
            #expect(objects <= one, "\(number) of another history: \(objects)")
        }
        #expect(try world.shallowCount < 30)
    }

    @Test func `ends where the history of a shallow source does`() async throws {
        let world = try await World(.http)
        let bare = world.remote.bare
        // What is served is shallow itself, and grows.
        try FileManager.default.removeItem(atPath: bare)
        try Command.run(
            ["git", "clone", "-q", "--bare", "--depth", "3", "file://" + world.remote.source.path, bare],
            environment: GitRepository.environment())
        #expect(try await world.fetch() > 300)
        for number in 0..<12 {
            try world.remote.push(["1/1.html": "one more \(number)"])
            #expect(try await world.fetch() <= Self.one)
        }
    }

    @Test(arguments: [SmartRemote.Door.http, .ssh])
    func `is what the setting says where more would be too much`(door: SmartRemote.Door) async throws {
        let world = try await World(door)
        #expect(try await world.fetch() > 300)
        for number in 0..<3 {
            try world.remote.push(["1/1.html": "one more \(number)"])
            #expect(try await world.fetch() <= Self.one)
        }
        // A large file that comes and goes again before anybody looks.
        var random = SeededNumbers(seed: 3)
        func noise() -> String {
            String(decoding: (0..<200_000).map { _ in UInt8.random(in: 33...126, using: &random) }, as: UTF8.self)
        }
        try world.remote.source.commit(["large": noise()])
        try world.remote.push(["large": nil, "2/2.html": "after"])
        let objects = try await world.fetch(maxBytes: 100_000)
        // The commit alone, and the one tree more that it has in common with nobody.
        #expect(objects <= Self.one + 2)
        #expect(world.store.size().bytes < 150_000)
        // And the next one has a history again.
        try world.remote.source.commit(["3/3.html": "first of two"])
        try world.remote.push(["3/3.html": "second of two"])
        #expect(try await world.fetch(maxBytes: 100_000) <= 2 * Self.one)
    }

    /// Each update leaves a pack, and each some lines at most; both go when the store is compacted.
    @Test func `leaves no line for each update for ever`() async throws {
        let updates = Int(ProcessInfo.processInfo.environment["SIDEKICK_UPDATES"] ?? "") ?? 60
        let world = try await World(.http)
        _ = try await world.fetch()
        var most = 0
        for number in 0..<updates {
            try world.remote.push(["1/1.html": "one more \(number)"])
            let advertisement = try await world.upstream.discover()
            try await world.upstream.fetch(
                FetchRequest(advertisement: advertisement, store: world.store, depth: 1, mustFollow: nil)
            ) { _ in }
            try world.store.open().noteFetched(advertisement.commit)
            try world.store.open().notePublished(advertisement.commit)
            most = max(most, try world.shallowCount)
            guard world.store.needsCompaction() else { continue }
            try world.store.compact(keeping: [advertisement.commit], depth: 1)
            #expect(try world.shallowCount == 1)
        }
        #expect(most <= 60, "\(most) lines")
        #expect(try world.view.fsck() == "")
        print("\(updates) updates: at most \(most) lines in shallow")
    }
}

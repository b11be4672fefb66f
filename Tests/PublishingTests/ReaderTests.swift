import Foundation
import Git
import Synchronization
import TestSupport
import Testing

@testable import Publishing

/// Reads published files over and over on a thread of its own, and notes what a reader must never see.
private final class Reader: Sendable {
    private let state = Mutex((isOver: false, reads: 0, faults: [String]()))
    private let ended = DispatchSemaphore(value: 0)

    init(_ root: String, _ sizes: [String: Int]) {
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 200_000)
            while !state.withLock({ $0.isOver }) {
                usleep(500)
                for (name, size) in sizes {
                    var fault: String?
                    let file = open(root + "/" + name, O_RDONLY | O_CLOEXEC)
                    if file < 0 {
                        fault = "\(name): \(String(cString: strerror(errno)))"
                    } else {
                        let count = read(file, &buffer, buffer.count)
                        if count != size || buffer[0] != buffer[size - 1] { fault = "\(name): \(count) bytes" }
                        close(file)
                    }
                    state.withLock {
                        $0.reads += 1
                        if let fault { $0.faults.append(fault) }
                    }
                }
            }
            ended.signal()
        }
    }

    var reads: Int { state.withLock { $0.reads } }

    func end() -> [String] {
        state.withLock { $0.isOver = true }
        ended.wait()
        return state.withLock { $0.faults }
    }
}

/// Follows `previous` to the folder behind it again and again, and takes its time between any two links.
private final class SlowWalker: Sendable {
    private let state = Mutex((isOver: false, updates: 0, walks: 0, faults: [String]()))
    private let ended = DispatchSemaphore(value: 0)

    init(_ link: String) {
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isOver }) {
                let before = state.withLock { $0.updates }
                let fault = walk(link)
                state.withLock {
                    // A tree is for those who were on the way when it ceased to be live, not for those two updates later.
                    guard $0.updates - before <= 1 else { return }
                    $0.walks += 1
                    if let fault { $0.faults.append(fault) }
                }
            }
            ended.signal()
        }
    }

    /// - Returns: what is wrong with where it got to.
    private func walk(_ link: String) -> String? {
        var (path, way) = (link, [String]())
        while let text = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
            way.append(text)
            // Where a link takes a tree's place: not yet there, and the tree that is live is no tree before.
            if text.hasPrefix(".sidekick/") { return nil }
            guard way.count < 8 else { return "\(way): in circles" }
            usleep(.random(in: 0...3_000))
            path = (path as NSString).deletingLastPathComponent + "/" + text
        }
        let file = open(path + "/page", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        return file < 0 ? "\(way): \(String(cString: strerror(errno)))" : nil
    }

    var walks: Int { state.withLock { $0.walks } }
    func updates() { state.withLock { $0.updates += 1 } }

    func end() -> [String] {
        state.withLock { $0.isOver = true }
        ended.wait()
        return state.withLock { $0.faults }
    }
}

@Suite struct `Readers during updates` {
    @Test(arguments: [[LayoutKind.link], [.exchange], [.link, .exchange]])
    func `whoever is on the way to the tree before gets there, however slowly`(layouts: [LayoutKind]) throws {
        let site = try Site(layouts[0], grace: 1000)
        site.options.keepPrevious = .seconds(600)
        try site.publish(["page": "0"])
        try site.publish(["page": "1"])
        let walker = SlowWalker(site.state + "/previous")
        for round in 2...40 {
            let before = walker.walks
            let commit = try site.commit(["page": "\(round)"])
            site.close()
            site.options.layout = layouts[round % layouts.count]
            let staged = try site.stage(commit)
            walker.updates()
            _ = try site.publisher.publish(staged)
            #expect(try site.folder.read(".sidekick/www/previous/page") == "\(round - 1)")
            while walker.walks < before + 3 { usleep(500) }
            try site.tidy()
        }
        #expect(walker.end() == [])
    }

    @Test(arguments: LayoutKind.allCases)
    func `a path that both commits have is never absent and never half`(layout: LayoutKind) throws {
        let site = try Site(layout, grace: 1000)
        let size = 100_000
        let commits = try ["1", "2"].map { letter in
            let blob = try site.source.blob(String(repeating: letter, count: size))
            let dir = try site.source.tree([("100644", "page", blob), ("100644", "only" + letter, blob)])
            return try site.source.commit(rows: [
                ("40000", "dir", dir), ("100644", "index.html", blob), ("100644", "same", site.source.blob("same")),
                (letter == "1" ? "100644" : "40000", "turns", letter == "1" ? blob : dir),
            ])
        }
        try site.publish(commits[0])
        let reader = Reader(site.www, ["index.html": size, "dir/page": size])
        for round in 1...10 {
            let before = reader.reads
            try site.publish(commits[round % 2])
            // Some reads between any two updates.
            while reader.reads < before + 4 { usleep(500) }
        }
        #expect(reader.end() == [])
        #expect(try site.differences(commits[0]) == [])
    }
}

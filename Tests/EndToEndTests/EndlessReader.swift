import Foundation
import Synchronization
import TestSupport

/// Reads a changing site through its web server on a thread of its own, one path after the other, and notes what no reader
/// may see.
final class EndlessReader: Sendable {
    private struct State {
        var isOver = false
        var reads = 0
        var versions: Set<Int> = []
        var faults: [String] = []
    }

    private let site: ChangingSite
    private let port: UInt16
    /// Whether all pages are of one commit at any time.
    private let isWhole: Bool
    private let state = Mutex(State())
    private let ended = DispatchGroup()

    init(_ site: ChangingSite, _ port: UInt16, isWhole: Bool) {
        self.site = site
        self.port = port
        self.isWhole = isWhole
        ended.enter()
        Thread.detachNewThread { [self] in
            run()
            ended.leave()
        }
    }

    private func run() {
        let bulk = stride(from: 0, to: ChangingSite.bulk.count, by: 83).map { ChangingSite.bulk[$0] }
        let paths = ChangingSite.pages + bulk + site.untouched
        var newest = 0
        var tags: [String: [String: Int]] = [:]
        while true {
            for path in paths {
                guard !state.withLock({ $0.isOver }) else { return }
                usleep(1_000)
                do {
                    let answer = try get(port, "/" + path)
                    guard answer.status == 200, let commits = site.interval(of: answer.body, at: path) else {
                        note("\(path): \(answer.status), \(answer.body.count) bytes that no commit has there")
                        continue
                    }
                    let tag = answer.headers["etag"] ?? "none"
                    let known = tags[path, default: [:]].updateValue(commits.lowerBound, forKey: tag)
                    tags[path]![tag] = commits.lowerBound
                    if let known, known != commits.lowerBound {
                        note("\(path): the ETag \(tag) stood for commit \(known) and for \(commits.lowerBound)")
                    }
                    // The reader has seen `newest`: what was replaced before it must not come back.
                    if isWhole, commits.upperBound <= newest { note("\(path): \(commits) after commit \(newest)") }
                    newest = max(newest, commits.lowerBound)
                    state.withLock {
                        $0.reads += 1
                        $0.versions.insert(commits.lowerBound)
                    }
                } catch {
                    note("\(path): \(error)")
                }
                if site.untouched.contains(path), tags[path, default: [:]].count > 1 {
                    note("\(path) is untouched and has the ETags \(tags[path]!.keys.sorted())")
                }
            }
        }
    }

    private func note(_ text: String) { state.withLock { if $0.faults.count < 10 { $0.faults.append(text) } } }

    /// - Returns: how much was read, of how many commits, and what was wrong.
    func end() async -> (reads: Int, versions: Int, faults: [String]) {
        state.withLock { $0.isOver = true }
        await withCheckedContinuation { done in ended.notify(queue: .global()) { done.resume() } }
        return state.withLock { ($0.reads, $0.versions.count, $0.faults) }
    }
}

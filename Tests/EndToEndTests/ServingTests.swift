import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct `Reading through nginx while it is updated` {
    /// What page `page` says at commit `number`: long enough to be written in pieces, of a length that varies.
    private static func text(_ page: Int, _ number: Int) -> String {
        "commit \(number) page \(page)\n" + String(repeating: "\(number) ", count: 2000 + number * 7 + page)
    }

    private static func files(_ number: Int) -> [String: String?] {
        var files: [String: String?] = [:]
        for page in 0..<12 { files["page\(page).html"] = text(page, number) }
        files["folder\(number % 3)/extra.html"] = "\(number)"
        if number > 0 { files["folder\((number - 1) % 3)/extra.html"] = .some(nil) }
        return files
    }

    private final class Findings: Sendable {
        let wrong = Mutex<[String]>([])
        let reads = Mutex(0)
        let stop = Mutex(false)
        func note(_ text: String) { wrong.withLock { if $0.count < 20 { $0.append(text) } } }
    }

    private static func number(in text: String) -> Int? {
        text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) }
    }

    /// Reads pages in a loop: never anything but 200 and a whole page of one commit, which in `link` never goes back.
    private static func readLoop(_ port: UInt16, monotonic: Bool, _ findings: Findings) {
        var newest = 0
        var page = 0
        while !findings.stop.withLock({ $0 }) {
            page = (page + 5) % 12
            do {
                let answer = try get(port, "/page\(page).html")
                findings.reads.withLock { $0 += 1 }
                guard answer.status == 200, let number = number(in: answer.text) else {
                    findings.note("page \(page): \(answer.status)")
                    continue
                }
                if answer.text != text(page, number) {
                    findings.note("page \(page): not the bytes of commit \(number)")
                }
                if monotonic && number < newest { findings.note("commit \(number) after \(newest)") }
                newest = max(newest, number)
            } catch { findings.note("\(error)") }
        }
    }

    /// Opens the root once and reads everything through it: in `link` all of it is one commit.
    private static func snapshotLoop(_ root: String, _ findings: Findings) {
        while !findings.stop.withLock({ $0 }) {
            let descriptor = open(root, O_RDONLY | O_DIRECTORY)
            guard descriptor >= 0 else {
                findings.note("no root")
                continue
            }
            defer { close(descriptor) }
            var numbers: Set<Int> = []
            for page in 0..<12 {
                let file = openat(descriptor, "page\(page).html", O_RDONLY)
                guard file >= 0 else {
                    findings.note("page \(page) absent below an open root")
                    continue
                }
                var buffer = [UInt8](repeating: 0, count: 32)
                let count = read(file, &buffer, buffer.count)
                close(file)
                if let number = number(in: String(decoding: buffer[..<max(count, 0)], as: UTF8.self)) {
                    numbers.insert(number)
                }
            }
            if numbers.count > 1 { findings.note("one root, commits \(numbers.sorted())") }
        }
    }

    @Test(arguments: ["link", "folder"])
    func `a hundred updates show no 404, no torn page and no step back`(layout: String) async throws {
        let source = try GitRepository()
        try source.commit(Self.files(0))
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([source.path, folder("www"), "--layout", layout, "--delay", "1h"])
        try await sidekick.prints("published")
        let nginx = try await Nginx(serving: folder("www"))
        let findings = Findings()
        let group = DispatchGroup()
        for _ in 0..<2 {
            group.enter()
            Thread.detachNewThread {
                Self.readLoop(nginx.port, monotonic: layout == "link", findings); group.leave()
            }
        }
        if layout == "link" {
            group.enter()
            Thread.detachNewThread {
                Self.snapshotLoop(folder("www"), findings); group.leave()
            }
        }
        for number in 1...100 {
            try source.commit(Self.files(number))
            sidekick.send(SIGHUP)
            try await eventually("commit \(number) shows") {
                try get(nginx.port, "/page11.html").text == Self.text(11, number)
            }
        }
        findings.stop.withLock { $0 = true }
        await withCheckedContinuation { done in group.notify(queue: .global()) { done.resume() } }
        #expect(findings.wrong.withLock { $0 } == [])
        #expect(findings.reads.withLock { $0 } > 200)
        // In the layout `folder` that page is not the last one of an update.
        try await sidekick.prints("published commit=\(source.head)")
        #expect(try differences(folder("www"), from: source.path, "HEAD") == [])
        #expect(try await sidekick.stop() == 0)
    }

    @Test func `the real history of a site is published commit by commit as git has it`() async throws {
        // A history with renames, mode changes, binary files and folders that come and go; made here, so that the test
        // needs nothing from outside. CI walks a real site's history with Tests/history.
        let source = try GitRepository()
        var commits: [String] = []
        for number in 0..<30 {
            try source.folder.write("page \(number)", to: "pages/\(number % 7)/index.html")
            try source.folder.write(
                String(repeating: "\u{0}\u{1}\(number)", count: number * 50), to: "binary/data\(number % 4).bin")
            if number % 5 == 4 { rename(source.folder("pages/\(number % 7)"), source.folder("moved\(number)")) }
            chmod(source.folder("binary/data0.bin"), number % 2 == 0 ? 0o755 : 0o644)
            commits.append(try source.commit([:]))
        }
        for layout in ["link", "folder"] {
            let folder = try TemporaryFolder()
            for commit in commits {
                let result = try await Sidekick.once([source.path, folder("www"), "--layout", layout, "--ref", commit])
                #expect(result.status == 0, "\(result.log)")
                #expect(try differences(folder("www"), from: source.path, commit) == [], "\(layout) \(commit)")
            }
        }
    }

    @Test(arguments: ["link", "folder"])
    func `a pass that finds nothing changes the time of the status file and nothing else`(layout: String) async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one", "a/b/c.html": "two"])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([
            source.path, folder("www"), "--layout", layout, "--delay", "1h", "--log-level", "debug", "--grace", "0s",
        ])
        try await sidekick.prints("published")
        sidekick.send(SIGHUP)
        try await sidekick.prints("unchanged")
        // What an update leaves to be done beside passes is done.
        let spare = ".sidekick/www/trees/\(try source.head)-2"
        if layout == "link" { try await eventually("the spare is made") { folder.has(spare) } }
        try await Task.sleep(for: .milliseconds(50))
        let before = try folder.snapshot()
        for count in 2...4 {
            sidekick.send(SIGHUP)
            try await eventually("another pass") {
                sidekick.log.components(separatedBy: "unchanged").count == count + 1
            }
        }
        try await Task.sleep(for: .milliseconds(50))
        let after = try folder.snapshot()
        let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
        #expect(changed == [".sidekick/www/status.json"])
        #expect(
            before[".sidekick/www/status.json"]?.split(separator: " ").first
                == after[".sidekick/www/status.json"]?.split(separator: " ").first)
        #expect(try await sidekick.stop() == 0)
    }

    @Test(arguments: ["link", "folder"])
    func `an update writes as many files as changed`(layout: String) async throws {
        let source = try GitRepository()
        var files: [String: String?] = [:]
        for number in 0..<200 { files["folder\(number % 20)/page\(number).html"] = "page \(number)" }
        try source.commit(files)
        let folder = try TemporaryFolder()
        let arguments = [source.path, folder("www"), "--layout", layout]
        #expect(try await Sidekick.once(arguments).status == 0)
        func inodes() throws -> [String: UInt64] {
            files.keys.reduce(into: [:]) { $0[$1] = folder.inode("www/" + $1) }
        }
        let before = try inodes()
        try source.commit(["folder3/page3.html": "changed", "folder4/page4.html": "changed", "new.html": "new"])
        let result = try await Sidekick.once(arguments)
        #expect(result.log.contains("written=3"), "\(result.log)")
        let after = try inodes()
        #expect(Set(before.keys.filter { before[$0] != after[$0] }) == ["folder3/page3.html", "folder4/page4.html"])
    }
}

import Foundation
import TestSupport
import Testing

@Suite struct `A long run` {
    /// With SIDEKICK_LONG the figures of the design; without it the same in a small way.
    private static let updates = ProcessInfo.processInfo.environment["SIDEKICK_LONG"] == "1" ? 1_000 : 60

    /// What memory may grow beside 5 %, in kB. What is in use after 300 and after 900 updates is the same to a kilobyte; the
    /// heap gets its holes in the first 300 of them, and does not grow after that.
    private static let warmUp = 768

    /// What may be open at the moment of a look, as a spare is made between two updates.
    private static let atWork = 4

    private struct Sample {
        let descriptors: Int
        /// Anonymous memory, in kB.
        let memory: Int
        /// Threads that take more of a processor than others may: run by root they could.
        let hurried: Int

        init(of pid: Int32) throws {
            descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let row = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
            memory = try #require(row?.split(separator: " ").dropLast().last.flatMap { Int($0) })
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
            // proc(5): the nice value is the 19th field; the second, in brackets, may hold anything.
            hurried = threads.count { thread in
                let fields = (try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/stat", encoding: .utf8))?
                    .split(separator: ")").last?.split(separator: " ")
                return fields.flatMap { $0.count > 16 ? Int($0[16]) : nil } ?? 0 < 0
            }
        }
    }

    private static func median(_ values: some Collection<Int>) -> Int { values.sorted()[values.count / 2] }

    /// Bytes on the disk; what has several names counts once.
    private static func usage(_ paths: String...) throws -> Int {
        let output = try Command.run(["du", "-scB1"] + paths).text
        return try #require(output.split(separator: "\n").last?.split(separator: "\t").first.flatMap { Int($0) })
    }

    /// Three hundred pages of 1 to 20 kB, which do not compress well; an update changes one to five.
    private static func site(_ source: GitRepository) throws -> [String] {
        func page(_ number: Int) -> String {
            (0..<(25 + number * 37 % 500)).map { _ in UUID().uuidString }.joined(separator: "\n")
        }
        let paths = (0..<300).map { "folder\($0 % 15)/page\($0).html" }
        var commits: [[String: String?]] = [["number.txt": "0"]]
        for (number, path) in paths.enumerated() { commits[0][path] = page(number) }
        for update in 1...updates {
            var files: [String: String?] = ["number.txt": "\(update)"]
            for step in 0..<(update % 5) { files[paths[(update * 7 + step * 31) % 300]] = page(update + step) }
            commits.append(files)
        }
        return try source.history(commits)
    }

    @Test(arguments: ["link", "exchange", "folder"])
    func `leaves open files and memory flat, and the disk within three times of what is published`(
        layout: String
    ) async throws {
        let source = try GitRepository()
        let commits = try Self.site(source)
        try source.push(commits[0])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([source.path, folder("www"), "--layout", layout, "--delay", "1h"])
        try await sidekick.prints("published")
        var samples: [Sample] = []
        var most = 0
        for (number, commit) in commits.enumerated().dropFirst() {
            try source.push(commit)
            sidekick.send(SIGHUP)
            try await eventually("update \(number)") { (try? folder.read("www/number.txt")) == "\(number)" }
            samples.append(try Sample(of: sidekick.pid))
            // While it works as well: names that go away meanwhile are no failure.
            if number % 20 == 0 { most = max(most, (try? Self.usage(folder("www/"), folder(".sidekick"))) ?? 0) }
        }
        try await sidekick.prints("published commit=\(commits[Self.updates])")
        try await Task.sleep(for: .seconds(3))
        let tenth = Self.updates / 10
        let (early, late) = (samples[tenth..<(2 * tenth)], samples.suffix(tenth))
        let files = (Self.median(early.map(\.descriptors)), Self.median(late.map(\.descriptors)))
        let memory = (Self.median(early.map(\.memory)), Self.median(late.map(\.memory)))
        var tree = try Self.usage(folder("www/"))
        if layout == "folder", folder.has("www/.sidekick") { tree -= try Self.usage(folder("www/.sidekick")) }
        let all = try Self.usage(folder("www/"), folder(".sidekick"))
        let store = try Self.usage(folder(".sidekick/www/git"))
        print(
            """
            \(layout): \(Self.updates) updates, open files \(files.0) then \(files.1), memory \(memory.0) then \
            \(memory.1) kB, disk \(all) bytes (\(most) at most, \(store) of it the store) for a tree of \(tree): \
            \(String(format: "%.2f, at most %.2f", Double(all) / Double(tree), Double(most) / Double(tree))) times
            """)
        #expect(files.1 <= files.0 + files.0 / 20 + Self.atWork)
        #expect(memory.1 <= memory.0 + memory.0 / 20 + Self.warmUp * Sanitizer.toll)
        #expect(all <= 3 * tree && most <= 3 * tree)
        // That which libdispatch waits for events with.
        #expect(samples.allSatisfy { $0.hurried <= 1 })
        #expect(try await sidekick.stop() == 0)
    }
}

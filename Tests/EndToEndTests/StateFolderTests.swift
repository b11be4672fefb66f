import Foundation
import TestSupport
import Testing

/// docs/architecture.md, held against what the program leaves on the disk.
@Suite struct `The state folder` {
    private let page: String

    init() throws { page = try String(contentsOfFile: Nginx.project + "/docs/architecture.md", encoding: .utf8) }

    /// The names in the first column of the table of a section.
    private func names(in section: String) throws -> Set<String> {
        let start = try #require(page.range(of: "## \(section)\n")).upperBound
        let text = page[start...].prefix { _ in true }
        let rows = text.components(separatedBy: "\n## ")[0].components(separatedBy: "\n### ")[0].split(separator: "\n")
        var names: Set<String> = []
        for row in rows where row.hasPrefix("| `") {
            for match in row.dropFirst(2).prefix(while: { $0 != "|" }).matches(of: /`([^`]+?)\/?`/) {
                names.insert(String(match.1))
            }
        }
        return names
    }

    /// Its lock is one of two, where it is elsewhere: the other one is held still.
    @Test(arguments: [["state"], [".sidekick"], ["state", ".sidekick"]])
    func `is made anew when somebody removes it while sidekick runs`(removed: [String]) async throws {
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        try source.commit(["index.html": "one"])
        let sidekick = try Sidekick([
            source.path, folder("www"), "--state", folder("state"), "--delay", "200ms", "--backoff", "200ms",
            "--layout", "folder",
        ])
        try await sidekick.prints("published")
        for name in removed { try Command.run(["rm", "-rf", folder(name)]) }
        try source.commit(["index.html": "two"])
        try await eventually("two shows\n\(sidekick.log)") { try folder.read("www/index.html") == "two" }
        #expect(try await sidekick.stop() == 0)
    }

    @Test(arguments: ["link", "exchange", "folder"], [false, true])
    func `holds nothing that the page does not name`(layout: String, isElsewhere: Bool) async throws {
        let known = try names(in: "The state folder")
        #expect(known.count > 20, "\(known)")
        let (source, folder) = (try GitRepository(), try TemporaryFolder())
        let seen = folder("seen")
        var arguments = [source.path, folder("www"), "--layout", layout, "--on-publish", #"["/bin/true"]"#]
        let places = [folder(".sidekick/www"), folder("state")].prefix(isElsewhere ? 2 : 1)
        if isElsewhere { arguments += ["--state", folder("state")] }
        let list = "for place in \(places.joined(separator: " ")); do ls -A $place >> \(seen); done"
        if layout != "folder" { arguments += ["--before-publish", list] }
        func order(_ words: String...) throws {
            let state = isElsewhere ? ["--state", folder("state")] : []
            let result = try Command.run(
                [Sidekick.binary] + words + ["--destination", folder("www")] + state,
                environment: ["PATH": "/usr/bin:/bin"], mayFail: true)
            #expect(result.status == 0, "\(words): \(result.error)")
        }
        for number in 1...3 {
            try source.commit(["index.html": "\(number)", "a/\(number)": "\(number)"])
            #expect(try await Sidekick.once(arguments).status == 0)
        }
        try folder.write("mine", to: "www/a/mine")
        try folder.write("mine", to: "www/index.html")
        let daemon = try Sidekick(arguments + ["--delay", "1h"])
        try await daemon.prints("started")
        try order("verify", "--repair")
        try order("rollback")
        try Command.run(["sh", "-c", list])
        #expect(try await daemon.stop() == 0)
        try Command.run(["sh", "-c", list])
        let found = Set(try folder.read("seen").split(separator: "\n").map(String.init))
            .filter { !$0.hasSuffix(".json.new") && !$0.hasSuffix(".paths.new") }
        #expect(
            found.isSuperset(of: ["git", "hold.json", "hooks.json", "lock", "lost+found", "status.json"]), "\(found)")
        #expect(found.isSuperset(of: layout == "folder" ? ["record"] : ["trees", "records", "inspection"]), "\(found)")
        #expect(found.subtracting(known) == [], "docs/architecture.md does not name these")
    }

    @Test func `each name of the page stands in the code`() throws {
        let sources = Nginx.project + "/Sources"
        let code = try FileManager.default.subpathsOfDirectory(atPath: sources).filter { $0.hasSuffix(".swift") }
            .map { try String(contentsOfFile: sources + "/" + $0, encoding: .utf8) }.joined()
        for name in try names(in: "The state folder") {
            let literals = ["\"\(name)\"", "/\(name)\"", "\(name.drop { $0 != "." })\""]
            #expect(literals.contains { code.contains($0) }, "\(name)")
        }
    }
}

import Foundation
import TestSupport
import Testing

/// What HEAD leads to is told to hooks, in logs, in metrics and in notifications.
@Suite struct `A server that says that HEAD leads to no name of a branch` {
    static let names: [(name: String, target: [UInt8])] = [
        ("a path", Array("../../../etc/passwd".utf8)), ("an option", Array("--upload-pack=x".utf8)),
        ("60 kB", Array("refs/heads/".utf8) + [UInt8](repeating: 120, count: 60_000)),
        ("two lines", Array("refs/heads/x\r\nPUBLISHED_COMMIT=0".utf8)),
        ("a line feed", Array("refs/heads/x\ny".utf8)),
        ("quotes", Array("refs/heads/\"}\t1".utf8)), ("a backslash", Array("refs/heads/\\\"".utf8)),
        ("a zero", Array("refs/heads/x\0y".utf8)), ("nothing", []), ("an escape", Array("refs/heads/\u{1b}[2J".utf8)),
        ("a delete", Array("refs/heads/\u{7f}".utf8)), ("a dot", Array("refs/heads/.x".utf8)),
        ("two dots", Array("refs/heads/x..y".utf8)), ("a lock", Array("refs/heads/x.lock".utf8)),
        ("a slash at the end", Array("refs/heads/x/".utf8)), ("a wildcard", Array("refs/heads/*".utf8)),
        ("an expression", Array("refs/heads/x~1".utf8)), ("a colon", Array("refs/heads/x:y".utf8)),
        ("a brace", Array("refs/heads/x@{1}".utf8)), ("one word", Array("main".utf8)),
    ]

    /// git allows these, and nothing may be taken for an end of what they stand in. U+0D4E joins what follows it: to a program
    /// that reads characters the quote is not there.
    static let allowed = [
        "refs/heads/x\u{d4e}\",commit=\u{d4e}\"0\u{d4e}\"}", "refs/heads/é'\"=$(id)`id`", "refs/heads/<b>&amp;\u{301}",
        "refs/heads/-x", "refs/heads/--upload-pack=x",
    ]

    /// git ends a name at a space, and so does this protocol; what is left of these is a name.
    private static let ending: Set<UInt8> = [0, 10, 32]

    @Test(arguments: [ScriptedGitServer.Door.http2, .http0, .git0])
    func `is refused, or what it says is not repeated to a hook`(door: ScriptedGitServer.Door) async throws {
        let folder = try TemporaryFolder()
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "0"])))
        let hook = ["--on-publish", "[\"/bin/sh\", \"-c\", \"printf %s \\\"$PUBLISHED_REF\\\" >\(folder("ref"))\"]"]
        #expect(try await Sidekick.once([server.url, folder("www")] + hook).status == 0)
        #expect(try folder.read("ref") == "refs/heads/main")
        var wrong: [String] = []
        for (number, odd) in Self.names.enumerated() where door == .http2 || number % 3 == 0 {
            try folder.write("", to: "ref")
            var script = try GitScript(RawCommit(["index.html": "\(number + 1)"]))
            script.references[0].target = odd.target
            server.script = script
            let pass = try await Sidekick.once([server.url, folder("www")] + hook)
            let cut = odd.target.prefix { !Self.ending.contains($0) }
            // In version 0 it stands among the capabilities, and ends there.
            let isCut = !door.isVersion2 && cut.count < odd.target.count && !cut.isEmpty
            switch (pass.status, try folder.read("ref")) {
            case (0, "HEAD"): break
            case (0, String(decoding: cut, as: UTF8.self)) where isCut: break
            case (65, ""), (69, ""):
                if !pass.log.contains("git does not allow") { wrong.append("\(odd.name): \(pass.log)") }
            case (let status, let ref):
                wrong.append("\(odd.name): status \(status), the hook got \(ref.debugDescription.prefix(60))")
            }
            wrong += Self.faults(ofLog: pass.log).map { "\(odd.name): \($0)" }
        }
        #expect(wrong == [])
        for (number, name) in (Self.allowed + ["refs/heads/main"]).enumerated() {
            var script = try GitScript(RawCommit(["index.html": "allowed \(number)"]))
            script.references[0].target = Array(name.utf8)
            script.references.append(.init(name, script.references[0].id))
            server.script = script
            let pass = try await Sidekick.once([server.url, folder("www")] + hook)
            #expect(try pass.status == 0 && folder.read("ref") == name, "\(pass.log)")
            #expect(Self.faults(ofLog: pass.log) == [])
        }
    }

    /// A line is a time, a level, words and `name=value`, and nothing in it is invisible.
    private static func faults(ofLog log: String) -> [String] {
        log.unicodeScalars.split(separator: "\n").map { Substring($0) }.compactMap { line in
            if line.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
                return "raw: \(line.debugDescription)"
            }
            if line.utf8.count > 4_000 { return "a line of \(line.utf8.count) bytes" }
            let row =
                /\d{4}-\d\d-\d\dT[0-9:.]+Z (trace|debug|info|notice|warning|error|critical)( [^ ="]+)*( [A-Za-z_]+=("([^"\\]|\\.)*"|[^ "]+))*/
                .matchingSemantics(.unicodeScalar)
            return line.wholeMatch(of: row) == nil ? "not parsable: \(line)" : nil
        }
    }

    @Test func `does not make the metrics unreadable`() async throws {
        let folder = try TemporaryFolder()
        let server = try ScriptedGitServer(.http2, GitScript(RawCommit(["index.html": "0"])))
        let sidekick = try Sidekick([
            server.url, folder("www"), "--listen", "127.0.0.1:0", "--delay", "30s", "--backoff", "30s",
        ])
        let edge = try await sidekick.edge()
        try await sidekick.prints("published")
        let joining =
            "refs/heads/x\u{d4e}\",commit=\"0\u{d4e}\"}\t1\r\u{d4e}\nsidekick_last_success_timestamp_seconds\t1"
        let odd = Self.names.enumerated().filter { $0.offset % 3 == 0 }.map(\.element.target)
        for (number, target) in (odd + ([joining] + Self.allowed).map { Array($0.utf8) }).enumerated() {
            var script = try GitScript(RawCommit(["index.html": "\(number + 1)"]))
            script.references[0].target = target
            server.script = script
            let count = try edge.metric("sidekick_passes_total{result=\"failed\"}") ?? 0
            let published = try edge.metric("sidekick_passes_total{result=\"published\"}") ?? 0
            sidekick.send(SIGHUP)
            try await eventually("pass \(number) has ended\n\(sidekick.log)") {
                try edge.metric("sidekick_passes_total{result=\"failed\"}") ?? 0 > count
                    || edge.metric("sidekick_passes_total{result=\"published\"}") ?? 0 > published
            }
            let body = try edge.ask("/metrics").body
            let wrong = Self.faults(ofMetrics: body)
            try #require(wrong == [], "\(String(decoding: target.prefix(80), as: UTF8.self).debugDescription)")
        }
        #expect(try await sidekick.stop() == 0)
    }

    /// Prometheus's text format, by its scalars: each line a comment or a sample, each sample there once.
    private static func faults(ofMetrics body: String) -> [String] {
        let sample =
            /[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]+="([^"\\\n]|\\["\\n])*",?)*\})? [-+0-9.eEInfNa]+/.matchingSemantics(
                .unicodeScalar)
        var seen: Set<Substring> = []
        return body.unicodeScalars.split(separator: "\n").map { Substring($0) }.compactMap { line in
            if line.hasPrefix("#") { return nil }
            if line.wholeMatch(of: sample) == nil { return "no sample: \(line.debugDescription)" }
            let name = line.prefix { $0 != " " }
            return seen.insert(name).inserted ? nil : "twice: \(name)"
        }
    }
}

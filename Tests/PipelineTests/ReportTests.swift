import Git
import Logging
import Publishing
import Synchronization
import Platform
import Testing

@testable import Pipeline

/// Keeps what was written.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    func logger(_ format: LogFormat, _ level: Logger.Level = .debug) -> Logger {
        Logger(label: "test") { _ in
            LineLogHandler(format: format, level: level) { line in self.lines.withLock { $0.append(line) } }
        }
    }
}

@Suite struct `Log lines` {
    @Test func `what came from outside cannot forge a line or a field`() {
        let lines = Lines()
        lines.logger(.text).notice("published", metadata: ["ref": "a\nb level=error \"x\" \u{1B}[31m", "plain": "1"])
        #expect(lines.all.count == 1)
        let line = lines.all[0]
        #expect(line.hasSuffix("\n") && line.dropLast().allSatisfy { !$0.isNewline })
        #expect(!line.unicodeScalars.contains { $0.value == 0x1B })
        #expect(line.contains(#" ref="a\\nb level=error \"x\" \\u{1B}[31m""#), "\(line)")
        #expect(line.contains(" plain=1"))
    }

    @Test func `a quote cannot be left, by a backslash before it or a sign that attaches itself to it`() {
        let lines = Lines()
        for text in [#"y \" level="info" commit="0000"#, "x\u{0D4E}\" level=\"info", #"\"#, "\"\u{0301} level=info"] {
            lines.logger(.text).warning("failed", metadata: ["cause": "\(text)"])
            let line = lines.all.last ?? ""
            let value = line.utf8.drop { $0 != UInt8(ascii: "=") }.dropFirst()
            #expect(Array(value) == Array((text.logfmtValue + "\n").utf8))
        }
        #expect(lines.all.first?.contains(#"cause="y \\\" level=\"info\" commit=\"0000""#) == true, "\(lines.all)")
    }

    @Test func `JSON lines are JSON, whatever they carry`() throws {
        let lines = Lines()
        lines.logger(.json).warning("pass failed", metadata: ["cause": "\"quoted\" \\ and \n new"])
        let line = lines.all[0]
        #expect(line.hasPrefix("{\"time\":\"2") && line.hasSuffix("}\n"))
        #expect(line.contains(#""level":"warning""#) && line.contains(#""message":"pass failed""#))
        #expect(line.contains(#"\"quoted\""#))
        #expect(line.filter(\.isNewline).count == 1)
    }
}

@Suite struct `Failures` {
    private func error(_ cause: String, _ recovery: SyncError.Recovery = .retry) -> SyncError {
        SyncError(stage: .fetch, cause: cause, remedy: "wait", recovery: recovery, exitCode: .unavailable)
    }

    @Test func `one that goes on is told once, reminded of each hour, and its end is one line with the count`() {
        let lines = Lines()
        let clock = Mutex(0.0)
        var log = FailureLog(logger: lines.logger(.text, .info)) { clock.withLock { $0 } }
        for _ in 0..<100 {
            log.failed(error("down"))
            clock.withLock { $0 += 60 }
        }
        #expect(lines.all.count == 2, "at the start and after an hour")
        log.recovered()
        #expect(lines.all.last?.contains("recovered failures=100") == true)
        log.recovered()
        #expect(lines.all.count == 3)
    }

    @Test func `another cause is told at once, a made-up file name is not another cause`() {
        let lines = Lines()
        var log = FailureLog(logger: lines.logger(.text, .info)) { 0 }
        log.failed(error("cannot write objects/pack/pack_git2_ab12cd: full"))
        log.failed(error("cannot write objects/pack/pack_git2_ef34gh: full"))
        #expect(lines.all.count == 1)
        log.failed(error("refused"))
        #expect(lines.all.count == 2)
    }

    @Test func `what a person must mend is an error, what mends itself a warning`() {
        let lines = Lines()
        var log = FailureLog(logger: lines.logger(.text, .info)) { 0 }
        log.failed(error("a", .retry))
        log.failed(error("b", .fixConfiguration))
        #expect(lines.all[0].contains(" warning ") && lines.all[1].contains(" error "))
    }
}

@Suite struct `Health` {
    private func report(freshFor: Double?, running: Bool, started: Double = 0) -> StatusReport {
        let status = Status(
            version: "1", process: 1, repository: "r", ref: "HEAD", destination: "/srv/www", layout: "link",
            published: nil,
            repaired: 0, failure: nil, freshFor: freshFor)
        return StatusReport(status: status, lastPass: 1000, started: started, isRunning: running, json: "")
    }

    @Test func `it is whether the loop runs, and nothing else`() {
        #expect(report(freshFor: 100, running: true).complaint(now: 1099) == nil)
        #expect(report(freshFor: 100, running: true).complaint(now: 1101) != nil)
        #expect(report(freshFor: 100, running: false).complaint(now: 1001) != nil)
        #expect(report(freshFor: nil, running: true).complaint(now: 99999) == nil, "before the first publish")
        #expect(report(freshFor: 100, running: true, started: 5000).complaint(now: 5050) == nil, "just restarted")
    }
}

@Suite struct `Notices` {
    @Test func `of a kind are the first few told, and how many there are`() {
        let lines = Lines()
        let links = (1...50_000).map { Notice.skippedLink(path: TreePath("l\($0)"), target: "/etc") }
        let others = [Notice.recovered("finished"), .submodule(path: TreePath("m"))]
        lines.logger(.text).report(links + others)
        #expect(lines.all.count == 20 + 1 + 2)
        #expect(lines.all.count { $0.contains("l20 ") || $0.contains("l21 ") } == 1)
        #expect(lines.all.contains { $0.contains("symbolic links left out: 50000 in all") })
        #expect(!lines.all.contains { $0.contains("submodules") })
    }
}

@Suite struct `The first line of the status` {
    private func report(
        published: Bool = true, failure: Status.Failure? = nil, hold: Hold? = nil, running: Bool = true,
        delay: Double? = 60
    ) -> StatusReport {
        let tree = Status.Tree(
            commit: String(repeating: "a", count: 40), subdirectory: "", since: "now", files: 1, bytes: 1)
        let status = Status(
            version: "1", process: 1, repository: "r", ref: "main", destination: "/srv/www", layout: "link",
            published: published ? tree : nil, hold: hold, repaired: 0, failure: failure, freshFor: 100, delay: delay)
        return StatusReport(
            status: status, lastPass: wallSeconds() - 20, started: 0, isRunning: running, json: "")
    }

    private var failure: Status.Failure {
        Status.Failure(
            stage: .fetch, cause: "a cause", remedy: "do it", recovery: .retry, count: 3, last: "now",
            lastSuccess: timestamp(wallSeconds() - 7_300))
    }

    @Test func `says whether all is well`() {
        let hold = Hold(commit: "b", ref: "main", since: "then")
        let cases: [(StatusReport, String)] = [
            (report(), "all is well: aaaaaaaaaaaa is served, as main was 20 s ago"),
            (report(hold: hold), "held: aaaaaaaaaaaa is served, whatever main is, until `sidekick resume`"),
            (report(failure: failure), "passes fail, for 2 h: aaaaaaaaaaaa is served, which may be old"),
            (
                report(running: false),
                "no sidekick is running on /srv/www: aaaaaaaaaaaa is served, and will not change"
            ),
            (report(published: false), "nothing is published yet: the first pass goes on"),
            (report(published: false, failure: failure), "nothing is published yet: passes fail"),
        ]
        for (report, line) in cases { #expect(report.headline(now: wallSeconds()) == line) }
        let rows = report(failure: failure).rows(now: wallSeconds())
        #expect(rows[0] == "failing      fetch: a cause (3 times, last now)" && rows[1] == "remedy       do it")
        #expect(report().rows(now: wallSeconds()).contains("next pass    in 40 s"))
        #expect(!report(running: false).rows(now: wallSeconds()).contains { $0.hasPrefix("next pass") })
    }
}

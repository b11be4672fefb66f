import FoundationEssentials
import Pipeline
import Platform

/// The status for people: one page that needs nothing else, no script either, and comes again by itself.
struct StatusPage {
    let live: LiveStatus?
    let now: Double

    /// Seconds after which a browser asks again.
    private static let refresh = 5

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="refresh" content="\(Self.refresh)">
        <title>\(state.title) · sidekick</title>
        <link rel="icon" href="data:,">
        <style>\(Self.style)</style>
        </head>
        <body>
        <main>
        <header><h1>sidekick</h1><p class="badge \(state.kind)">\(state.title)</p></header>
        \(cards)
        </main>
        <footer>\(footer)</footer>
        </body>
        </html>

        """
    }

    // MARK: how it is

    private enum Kind: String { case good, bad, held, fresh }

    private var state: (kind: Kind, title: String) {
        guard let status = live?.status else { return (.fresh, "Starting") }
        if status.failure != nil { return (.bad, status.published == nil ? "Failing" : "Serving, but failing") }
        if status.hold != nil { return (.held, "Held") }
        return status.published == nil ? (.fresh, "Starting") : (.good, "Serving")
    }

    private var cards: String {
        guard let live else { return "<section><p>No pass has ended yet.</p></section>" }
        return [failure(live), hold(live), facts(live), change(live), place(live), chart(live), passes(live)]
            .compactMap { $0 }.joined(separator: "\n")
    }

    private func failure(_ live: LiveStatus) -> String? {
        guard let failure = live.status.failure else { return nil }
        let times = failure.count == 1 ? "once" : "\(failure.count) times in a row"
        let last = live.lastSuccess.map { ", last success \(ago($0))" } ?? ""
        return """
            <section class="alert bad" role="status">
            <h2>Passes fail at <em>\(failure.stage.rawValue)</em></h2>
            <p class="cause">\(failure.cause.htmlEscaped)</p>
            <p>\((failure.remedy.prefix(1).uppercased() + failure.remedy.dropFirst()).htmlEscaped).</p>
            <p class="muted">\(times)\(last)</p>
            </section>
            """
    }

    private func hold(_ live: LiveStatus) -> String? {
        guard let hold = live.status.hold else { return nil }
        return """
            <section class="alert held" role="status">
            <h2>An operator holds this commit</h2>
            <p>Since \(ago(hold.since)). The remote is not followed until <code>sidekick resume</code>.</p>
            </section>
            """
    }

    private func facts(_ live: LiveStatus) -> String {
        var rows: [(String, String)] = []
        if let tree = live.status.published {
            rows.append(("Commit", Self.link(Self.code(tree.commit), to: tree.page)))
            if !tree.subdirectory.isEmpty { rows.append(("Folder", Self.code(tree.subdirectory))) }
            rows.append(("Since", ago(tree.since)))
            if let signer = tree.signer { rows.append(("Signed by", "\(signer)".htmlEscaped)) }
            rows.append(("Size", "\(grouped(tree.files)) files, \(bytes(tree.bytes))"))
            if let lfs = tree.lfs { rows.append(("Git LFS", "\(grouped(lfs.objects)) of them, \(bytes(lfs.bytes))")) }
            if let compressed = tree.compressed {
                rows.append(("Compressed", "\(grouped(compressed.files)) files more, \(bytes(compressed.bytes))"))
            }
            for (path, commit) in tree.modules {
                rows.append(("Submodule", "\(Self.code(path)) at \(Self.code(String(commit.prefix(12))))"))
            }
            for (path, reason) in tree.omissions {
                rows.append(("Left out", "\(Self.code(path)): \(reason.htmlEscaped)"))
            }
        } else {
            rows.append(("Commit", "nothing is published yet"))
        }
        if let running = live.running {
            rows.append(("Pass", "at \(running.stage.rawValue) since \(ago(running.began))"))
        } else if let next = live.nextPass {
            rows.append(("Next pass", ago(next)))
        }
        return Self.section("What is served", rows)
    }

    private func change(_ live: LiveStatus) -> String? {
        guard let tree = live.status.published, let change = tree.change else { return nil }
        var rows = [
            ("Subject", change.subject.isEmpty ? "none" : change.subject.htmlEscaped),
            ("By", "\(change.author.htmlEscaped), committed \(ago(change.committed))"),
        ]
        if let paths = change.paths, let count = change.count {
            let items = paths.map { "<li>\(Self.code($0))</li>" }.joined()
            let more = count > paths.count ? "<li class=\"muted\">and \(grouped(count - paths.count)) more</li>" : ""
            rows.append(("Paths", count == 0 ? "none" : "<ul>\(items)\(more)</ul>"))
        }
        return Self.section("What changed", rows)
    }

    private func place(_ live: LiveStatus) -> String {
        let status = live.status
        var rows = [
            ("Repository", Self.code(status.repository)), ("Reference", Self.code(status.ref)),
            ("Served from", "\(Self.code(status.destination)) (\(status.layout.htmlEscaped))"),
        ]
        if let disk = live.disk {
            let trees = disk.trees == 1 ? "one tree" : "\(grouped(disk.trees)) trees"
            let free = disk.free.map { ", \(bytes($0)) free" } ?? ""
            rows.append(("Disk", "\(trees), \(bytes(Int64(disk.store))) in the store\(free)"))
        }
        if let lost = status.lost {
            rows.append(("lost+found", "\(grouped(lost.files)) files of others, \(bytes(lost.bytes))"))
        }
        return Self.section("Where", rows)
    }

    private static func section(_ title: String, _ rows: [(String, String)]) -> String {
        let list = rows.map { "<div><dt>\($0)</dt><dd>\($1)</dd></div>" }.joined(separator: "\n")
        return "<section><h2>\(title)</h2><dl>\n\(list)\n</dl></section>"
    }

    private static func code(_ text: String) -> String { "<code>\(text.htmlEscaped)</code>" }

    private static func link(_ text: String, to address: String?) -> String {
        guard let address else { return text }
        return "<a href=\"\(address.htmlEscaped)\" rel=\"noreferrer\">\(text)</a>"
    }

    private func chart(_ live: LiveStatus) -> String? {
        let attempts = Array(live.attempts.reversed())
        guard attempts.count > 1 else { return nil }
        return
            """
            <section><h2>The last \(attempts.count) passes</h2>
            \(PassChart(attempts: attempts).html { ago($0) })
            \(PassChart.legend)</section>
            """
    }

    private func passes(_ live: LiveStatus) -> String? {
        guard !live.attempts.isEmpty else { return nil }
        let rows = live.attempts.prefix(10).map { attempt in
            let what =
                attempt.cause.map { "\(attempt.stage?.rawValue ?? ""): \($0.htmlEscaped)" }
                ?? attempt.commit.map { "<code>\($0.prefix(12))</code>" } ?? ""
            let trigger = attempt.trigger.map { " <span class=\"muted\">by \($0.rawValue)</span>" } ?? ""
            return """
                <tr><td>\(ago(attempt.began))</td><td class="\(attempt.result.rawValue)">\(attempt.result.rawValue)\(trigger)</td>\
                <td class="number">\(duration(attempt.seconds))</td><td>\(what)</td></tr>
                """
        }
        return """
            <section><h2>Passes</h2><div class="scroll" tabindex="0"><table>
            <thead><tr><th>Began</th><th>Result</th><th class="number">Took</th><th>What</th></tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table></div></section>
            """
    }

    private var footer: String {
        let version = live.map { "sidekick \($0.status.version.htmlEscaped), process \($0.status.process). " } ?? ""
        let at = Date(timeIntervalSince1970: now.rounded(.down)).formatted(.iso8601)
        return "\(version)As of <time>\(at)</time>. <a href=\"/status\">JSON</a> <a href=\"/metrics\">Metrics</a>"
    }

    // MARK: in words

    /// How long ago, or in how long, with the time itself.
    private func ago(_ time: String) -> String {
        guard let date = try? Date(time, strategy: .iso8601) else { return time.htmlEscaped }
        let seconds = now - date.timeIntervalSince1970
        let span = Self.span(abs(seconds))
        let text = abs(seconds) < 1 ? "now" : seconds < 0 ? "in \(span)" : "\(span) ago"
        return "<time datetime=\"\(time.htmlEscaped)\" title=\"\(time.htmlEscaped)\">\(text)</time>"
    }

    private static func span(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(Int(seconds)) s"
        case ..<7_200: "\(Int(seconds / 60)) min"
        case ..<172_800: "\(Int(seconds / 3_600)) h"
        default: "\(Int(seconds / 86_400)) days"
        }
    }
}

func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<1: "\(max(1, Int((seconds * 1_000).rounded()))) ms"
    case ..<100: "\(Int(seconds)).\(Int(seconds * 10) % 10) s"
    default: "\(Int(seconds)) s"
    }
}

/// Digits in threes.
private func grouped(_ number: Int) -> String {
    var digits = String(number)
    var parts: [Substring] = []
    while digits.count > 3 {
        parts.insert(digits.suffix(3), at: 0)
        digits = String(digits.dropLast(3))
    }
    return ([digits[...]] + parts).joined(separator: ",")
}

private func bytes(_ count: Int64) -> String {
    switch count {
    case ..<1_000: "\(count) bytes"
    case ..<1_000_000: "\(count / 1_000) kB"
    case ..<1_000_000_000: "\(count / 1_000_000).\(count % 1_000_000 / 100_000) MB"
    default: "\(count / 1_000_000_000).\(count % 1_000_000_000 / 100_000_000) GB"
    }
}

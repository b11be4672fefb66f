import Foundation
import Testing

@testable import Edge
@testable import Pipeline

@Suite struct `The status page` {
    private static let hostile = "</title><script>alert('x')</script>\"&<img src=//evil.example>"

    private func status(published: Bool = true, failure: Bool = false, hold: Bool = false, text: String = "plain")
        -> Status
    {
        Status(
            version: "1.2.3", process: 7, repository: "https://git.example.org/\(text)", ref: text,
            destination: "/srv/\(text)",
            layout: "link",
            published: published
                ? Status.Tree(
                    commit: String(repeating: "ab", count: 20), subdirectory: text, since: "2026-11-24T10:00:00Z",
                    files: 20_400,
                    bytes: 21_300_000,
                    change: Status.Change(
                        subject: text, author: text, committed: "2026-11-24T09:59:00Z", paths: [text], count: 1_001),
                    page: "https://github.com/a/b/commit/abab") : nil,
            hold: hold ? Hold(commit: text, ref: text, since: "2026-11-24T10:00:00Z") : nil, repaired: 0,
            failure: failure
                ? Status.Failure(
                    stage: .fetch, cause: text, remedy: text, recovery: .retry, count: 3, last: "2026-11-24T10:00:00Z",
                    lastSuccess: "2026-11-24T09:00:00Z") : nil, freshFor: nil)
    }

    private func page(_ status: Status?, attempts: [Attempt] = []) -> String {
        let live = status.map {
            LiveStatus(status: $0, running: nil, lastSuccess: "2026-11-24T09:00:00Z", nextPass: nil, attempts: attempts)
        }
        return StatusPage(live: live, now: 1_795_520_000).html
    }

    private func attempt(_ number: Int, _ result: Attempt.Result, cause: String? = nil) -> Attempt {
        Attempt(
            number: number, trigger: .webhook, began: "2026-11-24T10:00:00Z", seconds: 0.5, stages: [:], result: result,
            commit: nil, stage: cause.map { _ in .fetch }, cause: cause, remedy: cause)
    }

    @Test func `tells each state in its title`() {
        #expect(page(nil).contains("<title>Starting · sidekick"))
        #expect(page(status(published: false)).contains("<title>Starting · sidekick"))
        #expect(page(status()).contains("<title>Serving · sidekick"))
        #expect(page(status(failure: true)).contains("<title>Serving, but failing · sidekick"))
        #expect(page(status(published: false, failure: true)).contains("<title>Failing · sidekick"))
        #expect(page(status(hold: true)).contains("<title>Held · sidekick"))
        #expect(page(status()).contains("20,400 files, 21.3 MB"))
        let whole = page(status())
        #expect(whole.contains("and 1,000 more") && whole.contains("<a href=\"https://github.com/a/b/commit/abab\""))
        let chart = page(status(), attempts: [attempt(2, .failed, cause: "x"), attempt(1, .published)])
        #expect(chart.contains("aria-label=\"1 published, 0 unchanged, 1 failed\""))
    }

    @Test(arguments: ["\u{0D4E}", "\u{111C2}", "\u{11A3A}", "\u{11D46}"])
    func `has no tag of a stranger's, whatever attaches itself to the sign that begins it`(sign: String) {
        let tag = "\(sign)<meta http-equiv=refresh content=0;url=//evil.example>\(sign)\" onclick=x"
        let text = page(
            status(failure: true, hold: true, text: tag),
            attempts: [attempt(2, .failed, cause: tag), attempt(1, .failed)])
        let bytes = Array(text.utf8)
        #expect(bytes.firstRange(of: Array("<meta http-equiv=refresh".utf8)) == nil)
        #expect(bytes.firstRange(of: Array("\" onclick".utf8)) == nil)
        #expect(bytes.firstRange(of: Array("\(sign)&lt;meta".utf8)) != nil)
    }

    @Test func `runs nothing and loads nothing, whatever a repository or a server is called`() {
        let text = page(
            status(failure: true, hold: true, text: Self.hostile),
            attempts: [attempt(2, .failed, cause: Self.hostile), attempt(1, .failed, cause: Self.hostile)])
        #expect(!text.contains("<script") && !text.contains("<img") && !text.contains("evil.example>"))
        #expect(text.contains("&lt;script&gt;alert(&#39;x&#39;)"))
        let outside = text.matches(of: /(?:src|href)="([^"]*)"/).map { String($0.1) }
        #expect(Set(outside) == ["data:,", "/status", "/metrics", "https://github.com/a/b/commit/abab"])
    }

    /// WCAG 2.2, 1.4.3 and 1.4.11.
    @Test(arguments: [0, 1])
    func `can be read in light and in dark`(scheme: Int) throws {
        let block = try #require(
            StatusPage.style.matches(of: /:root\{([^}]*)\}/).map { String($0.1) }.dropFirst(scheme).first)
        var colors: [String: Double] = [:]
        for match in block.matches(of: /--(\w+):#([0-9a-f]{3,6})/) {
            colors[String(match.1)] = luminance(String(match.2))
        }
        func contrast(_ one: String, _ other: String) throws -> Double {
            let (a, b) = (try #require(colors[one]), try #require(colors[other]))
            return (max(a, b) + 0.05) / (min(a, b) + 0.05)
        }
        for text in ["text", "muted", "good", "bad", "held", "link"] {
            for back in ["back", "card"] { #expect(try contrast(text, back) >= 4.5, "\(text) on \(back)") }
        }
        for shape in ["good", "bad", "quiet"] { #expect(try contrast(shape, "card") >= 3, "\(shape)") }
    }

    private func luminance(_ hex: String) -> Double {
        let digits = hex.count == 3 ? hex.flatMap { [$0, $0] } : Array(hex)
        let parts = stride(from: 0, to: 6, by: 2).map { index -> Double in
            let value = Double(UInt8(String(digits[index...index + 1]), radix: 16) ?? 0) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
}

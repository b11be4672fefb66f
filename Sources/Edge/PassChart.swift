import Glibc
import Pipeline
import Platform

/// How long passes took, one bar each, and how they ended: by colour and, for who does not see that, by shape. The bars stretch with
/// the page, the words around them do not.
struct PassChart {
    /// The oldest first.
    let attempts: [Attempt]

    private static let (width, height, step) = (600.0, 96.0, 10.0)
    /// A millisecond has no height, ten seconds or the longest pass have all of it: each tenfold is as high as the last.
    private static let shortest = 0.001
    private var longest: Double { attempts.reduce(10) { max($0, $1.seconds) } }

    static let legend = """
        <p class="legend muted"><span class="published">■</span> published \
        <span class="unchanged">■</span> unchanged <span class="failed">▲</span> failed</p>
        """

    /// - Parameter ago: how long ago a time was, as HTML.
    func html(_ ago: (String) -> String) -> String {
        let bars = attempts.enumerated().map { bar($1, at: left(of: $0)) }
        let lines = ticks.map { tick in
            let y = Int((Self.height - 1 - tall(tick.seconds)).rounded())
            return "<line x1=\"0\" y1=\"\(y)\" x2=\"\(Int(Self.width))\" y2=\"\(y)\" class=\"axis\"/>"
        }
        let scale = ticks.map { tick in
            "<span style=\"bottom:\(percent(tall(tick.seconds) / Self.height))\">\(tick.text)</span>"
        }
        return """
            <div class="chart">
            <div class="scale">\(scale.joined())</div>
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" preserveAspectRatio="none" role="img" aria-label="\(summary)">
            \(lines.joined(separator: "\n"))
            \(bars.joined(separator: "\n"))
            </svg>
            <div class="times">\(times(ago))</div>
            </div>
            """
    }

    /// When the first of them began, one in the middle, and the last.
    private func times(_ ago: (String) -> String) -> String {
        guard let first = attempts.first, let last = attempts.last else { return "" }
        let start = left(of: 0) / Self.width
        let whole = "<span>\(ago(first.began))</span><span>\(ago(last.began))</span>"
        // Where there are few bars, two times do not stand beside each other.
        return start > 0.6
            ? "<span></span><span>\(ago(first.began)) to \(ago(last.began))</span>"
            : "<span style=\"width:\(percent(start))\" class=\"gap\"></span>\(whole)"
    }

    private var ticks: [(seconds: Double, text: String)] {
        let all = [
            (0.001, "1 ms"), (0.01, "10 ms"), (0.1, "100 ms"), (1, "1 s"), (10, "10 s"), (100, "100 s"),
            (1_000, "1000 s"),
        ]
        return all.filter { $0.0 <= longest }
    }

    private func left(of index: Int) -> Double { Self.width - Double(attempts.count - index) * Self.step }

    /// How high so long a time is.
    private func tall(_ seconds: Double) -> Double {
        let share = log(max(seconds, Self.shortest) / Self.shortest) / log(longest / Self.shortest)
        return min(share, 1) * (Self.height - 14)
    }

    private func percent(_ share: Double) -> String { "\(Int((share * 100).rounded()))%" }

    private func bar(_ attempt: Attempt, at x: Double) -> String {
        let size = Int(max(4, tall(attempt.seconds).rounded()))
        let (left, top) = (Int(x) + 1, Int(Self.height) - 1 - size)
        let text = "\(attempt.began): \(attempt.result.rawValue), \(duration(attempt.seconds))"
        let cap =
            attempt.result == .failed
            ? "<path d=\"M\(left) \(top - 2)l4 -7l4 7z\"/>" : ""
        return """
            <g class="\(attempt.result.rawValue)"><title>\(text.htmlEscaped)</title>\
            <rect x="\(left)" y="\(top)" width="8" height="\(size)"/>\(cap)</g>
            """
    }

    private var summary: String {
        Attempt.Result.allCases.map { result in
            "\(attempts.count { $0.result == result }) \(result.rawValue)"
        }.joined(separator: ", ")
    }
}

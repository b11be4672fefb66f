import Glibc
import Pipeline
import Platform

/// How long passes took, one bar each, and how they ended: by colour and, for who does not see that, by shape.
struct PassChart {
    /// The oldest first.
    let attempts: [Attempt]

    private static let (width, height, step) = (600.0, 96.0, 10.0)
    /// A millisecond has no height, ten seconds or the longest pass have all of it: each tenfold is as high as the last.
    private static let shortest = 0.001
    private var longest: Double { attempts.reduce(10) { max($0, $1.seconds) } }

    static let legend = """
        <p class="legend muted"><span class="published">■</span> published \
        <span class="unchanged">■</span> unchanged <span class="failed">▲</span> failed; the height is how long, logarithmically</p>
        """

    var svg: String {
        let bars = attempts.enumerated().map { bar($1, at: Self.width - Double(attempts.count - $0) * Self.step) }
        return """
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="\(summary)">
            <line x1="0" y1="\(Int(Self.height) - 1)" x2="\(Int(Self.width))" y2="\(Int(Self.height) - 1)" class="axis"/>
            \(bars.joined(separator: "\n"))
            </svg>
            """
    }

    private func bar(_ attempt: Attempt, at x: Double) -> String {
        let share = log(max(attempt.seconds, Self.shortest) / Self.shortest) / log(longest / Self.shortest)
        let size = max(4, (min(share, 1) * (Self.height - 14)).rounded())
        let (left, bottom) = (Int(x) + 1, Int(Self.height) - 1)
        let top = bottom - Int(size)
        let text = "\(attempt.began): \(attempt.result.rawValue), \(duration(attempt.seconds))"
        let cap =
            attempt.result == .failed
            ? "<path d=\"M\(left) \(top - 2)l4 -7l4 7z\"/>" : ""
        return """
            <g class="\(attempt.result.rawValue)"><title>\(text.htmlEscaped)</title>\
            <rect x="\(left)" y="\(top)" width="8" height="\(Int(size))" rx="1"/>\(cap)</g>
            """
    }

    private var summary: String {
        Attempt.Result.allCases.map { result in
            "\(attempts.count { $0.result == result }) \(result.rawValue)"
        }.joined(separator: ", ")
    }
}

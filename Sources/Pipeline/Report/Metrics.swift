import Synchronization
import Platform

/// The numbers of one process, for whoever scrapes them.
public final class Metrics: Sendable {
    private enum Value {
        case number(Double)
        case histogram(counts: [Int], sum: Double)
    }

    private let values: Mutex<[Metric: [[String]: Value]]>

    /// Upper bounds of durations, in seconds: from a pass that finds nothing to a large first clone.
    static let bounds = [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600]

    /// All at zero.
    public init() {
        var values: [Metric: [[String]: Value]] = [:]
        for metric in Metric.all { for labels in metric.known { values[metric, default: [:]][labels] = .number(0) } }
        self.values = Mutex(values)
    }

    /// Counts.
    public func add(_ amount: Double = 1, to metric: Metric, _ labels: String...) {
        values.withLock { values in
            guard case .number(let sum)? = values[metric]?[labels] else {
                return values[metric, default: [:]][labels] = .number(amount)
            }
            values[metric]?[labels] = .number(sum + amount)
        }
    }

    /// Says how it is now; of an `info`, the only labels that are true.
    func set(_ number: Double = 1, of metric: Metric, _ labels: String...) {
        values.withLock { $0[metric] = [labels: .number(number)] }
    }

    /// Says that it is not so any more.
    func clear(_ metric: Metric) { values.withLock { $0[metric] = nil } }

    func observe(_ seconds: Double, in metric: Metric, _ labels: String...) {
        values.withLock { values in
            var (counts, sum) = ([Int](repeating: 0, count: Self.bounds.count + 1), 0.0)
            if case .histogram(let before, let total)? = values[metric]?[labels] { (counts, sum) = (before, total) }
            counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
            values[metric, default: [:]][labels] = .histogram(counts: counts, sum: sum + seconds)
        }
    }

    /// How they are written.
    public enum Format: String, Sendable {
        /// Prometheus's text format 0.0.4.
        case prometheus = "text/plain; version=0.0.4; charset=utf-8"
        /// OpenMetrics 1.0.
        case openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }

    /// All of them.
    public func text(_ format: Format) -> String {
        let values = values.withLock { $0 }
        var text = ""
        for metric in Metric.all {
            guard let samples = values[metric], !samples.isEmpty else { continue }
            text += Self.head(metric, format)
            for (labels, value) in samples.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                text += Self.lines(metric, labels, value)
            }
        }
        return format == .openMetrics ? text + "# EOF\n" : text
    }

    private static func head(_ metric: Metric, _ format: Format) -> String {
        var (name, kind) = (metric.name, metric.kind.rawValue)
        switch (format, metric.kind) {
        case (.openMetrics, .counter): name.removeLast("_total".count)
        case (.openMetrics, .info): name.removeLast("_info".count)
        case (.prometheus, .info): kind = Metric.Kind.gauge.rawValue
        default: break
        }
        return "# HELP \(name) \(metric.help)\n# TYPE \(name) \(kind)\n"
    }

    private static func lines(_ metric: Metric, _ labels: [String], _ value: Value) -> String {
        let pairs = Array(zip(metric.labels, labels))
        switch value {
        case .number(let number): return line(metric.name, pairs, number)
        case .histogram(let counts, let sum):
            var (text, total) = ("", 0)
            for (index, count) in counts.enumerated() {
                total += count
                let bound = index < bounds.count ? number(bounds[index]) : "+Inf"
                text += line(metric.name + "_bucket", pairs + [("le", bound)], Double(total))
            }
            return text + line(metric.name + "_sum", pairs, sum) + line(metric.name + "_count", pairs, Double(total))
        }
    }

    private static func line(_ name: String, _ labels: [(String, String)], _ value: Double) -> String {
        let list = labels.map { "\($0)=\"\($1.metricLabelEscaped)\"" }.joined(separator: ",")
        return "\(name)\(list.isEmpty ? "" : "{\(list)}") \(number(value))\n"
    }

    /// Whole numbers as such.
    private static func number(_ value: Double) -> String {
        Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }
}

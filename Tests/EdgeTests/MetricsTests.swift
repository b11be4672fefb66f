import Foundation
import Pipeline
import TestSupport
import Testing

@Suite struct `The metrics` {
    @Test func `Prometheus's own parser takes all of them, with labels that are hard to write`() throws {
        let metrics = Metrics()
        for metric in Metric.all where metric.kind == .counter {
            if metric.labels.count == 2 { metrics.add(to: metric, "a\"b\\c\nd", "e") }
        }
        let folder = try TemporaryFolder()
        try folder.write(metrics.text(.prometheus), to: "metrics")
        let result = try Command.run(
            ["sh", "-c", "promtool check metrics < \(folder("metrics"))"], mayFail: true)
        #expect(result.status == 0 && result.text + result.error == "", "\(result.text)\(result.error)")
        let open = metrics.text(.openMetrics)
        #expect(open.hasSuffix("\n# EOF\n"))
        #expect(open.contains("# TYPE sidekick_passes counter\n") && open.contains("\nsidekick_passes_total{"))
        #expect(open.contains(#"{provider="a\"b\\c\nd",verdict="e"} 1"#))
    }
}

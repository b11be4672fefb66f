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

    @Test func `alerts fire when they should, and they and the dashboard ask for nothing that is not there`() throws {
        let deploy = Nginx.project + "/deploy"
        for command in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
            let result = try Command.run(["promtool"] + command, in: deploy + "/prometheus", mayFail: true)
            #expect(result.status == 0, "\(result.text)\(result.error)")
        }
        let declared = Set(Metric.all.map(\.name))
        for file in ["/prometheus/alerts.yml", "/grafana/dashboard.json"] {
            let text = try String(contentsOfFile: deploy + file, encoding: .utf8)
            let names = text.matches(of: /sidekick_[a-z_]+/).map { match in
                String(match.0).replacingOccurrences(of: "_bucket", with: "")
            }
            #expect(!names.isEmpty && Set(names).isSubset(of: declared), "\(Set(names).subtracting(declared))")
        }
    }
}

import Foundation

extension Sidekick {
    /// Why the last pass failed, as its line says it.
    public static func cause(_ log: String) -> String {
        let found = log.matches(of: /pass failed.* cause=("(?:[^"\\]|\\.)*"|[^ \n]*)/).last.map { String($0.1) } ?? ""
        guard found.hasPrefix("\"") else { return found }
        return String(found.dropFirst().dropLast()).replacing(/\\(.)/) { String($0.1) }
    }

    /// What `sidekick check` comes to, which takes what a pass takes.
    ///
    /// - Returns: its exit status, and what has failed, by what was looked at.
    public static func check(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, failures: [String: String], text: String) {
        struct Answer: Decodable {
            struct Item: Decodable { let name: String, verdict: String, found: String }
            let items: [Item]
        }
        let result = try Command.run(
            [binary, "check", "--json"] + arguments,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"].merging(environment) { $1 }, mayFail: true)
        let failed = try JSONDecoder().decode(Answer.self, from: result.output).items.filter { $0.verdict == "failed" }
        return (result.status, Dictionary(failed.map { ($0.name, $0.found) }) { first, _ in first }, result.text)
    }
}

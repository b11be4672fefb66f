import Foundation

/// A crowd of visitors that never leaves: wrk, until it is ended.
public final class Wrk: Sendable {
    /// What wrk counted.
    public struct Count: Sendable {
        /// Answers.
        public let requests: Int
        /// Failures by their kind: connect, read, write, timeout, and `status` for what is neither 2xx nor 3xx.
        public let failures: [String: Int]
    }

    private let process: ChildProcess
    private let folder: TemporaryFolder

    /// Asks for paths, one after the other, on some connections that are kept.
    ///
    /// - Parameter takesGzip: whether it says so.
    public init(_ port: UInt16, paths: [String], connections: Int = 4, takesGzip: Bool = false) throws {
        folder = try TemporaryFolder()
        // A pause after each answer: the two cores are for sidekick too.
        try folder.write(
            """
            local paths = {\(paths.map { "\"\($0)\"" }.joined(separator: ","))}
            local next = 0
            \(takesGzip ? "wrk.headers[\"Accept-Encoding\"] = \"gzip\"" : "")
            function request()
                next = next % #paths + 1
                return wrk.format("GET", paths[next])
            end
            function delay() return 2 end
            function done(summary)
                local errors = summary.errors
                print(string.format("counted %d %d %d %d %d %d", summary.requests, errors.connect, errors.read,
                    errors.write, errors.timeout, errors.status))
            end
            """, to: "visit.lua")
        process = try ChildProcess(
            [
                "wrk", "-t", "1", "-c", "\(connections)", "-d", "1h", "--timeout", "30s", "-s", folder("visit.lua"),
                "http://127.0.0.1:\(port)/",
            ], output: folder("output"), error: folder("output"))
    }

    /// Ends it.
    public func end() async throws -> Count {
        process.send(SIGINT)
        try await eventually("wrk ends") { process.status != nil }
        let output = try folder.read("output")
        let numbers = output.split(separator: "\n").last { $0.hasPrefix("counted ") }?
            .split(separator: " ").dropFirst().compactMap { Int($0) }
        guard let numbers, numbers.count == 6 else { throw TestFailure("wrk: \(output)") }
        let names = ["connect", "read", "write", "timeout", "status"]
        let failures = Dictionary(uniqueKeysWithValues: zip(names, numbers.dropFirst()))
        return Count(requests: numbers[0], failures: failures.filter { $0.value != 0 })
    }
}

public import Foundation

/// A program that is run to its end.
public struct Command {
    /// What it printed and how it ended.
    public struct Result: Sendable {
        /// Its exit status, or 128 and the signal.
        public let status: Int32
        /// Standard output.
        public let output: Data
        /// Standard error.
        public let error: String
        /// Standard output as text.
        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs a program and waits for it.
    ///
    /// - Parameter environment: replaces the whole environment when given.
    @discardableResult
    public static func run(
        _ arguments: [String], in folder: String? = nil, environment: [String: String]? = nil, input: Data? = nil,
        mayFail: Bool = false
    ) throws -> Result {
        // Files and not pipes: nothing to drain, nothing to block on.
        let files = try TemporaryFolder()
        for name in ["output", "error", "input"] { try files.write("", to: name) }
        if let input { try input.write(to: URL(fileURLWithPath: files("input"))) }
        let process = try ChildProcess(
            arguments, in: folder, environment: environment, input: files("input"), output: files("output"),
            error: files("error"))
        let status = process.waitForEnd()
        let result = Result(
            status: status, output: try Data(contentsOf: URL(fileURLWithPath: files("output"))),
            error: try files.read("error"))
        guard status == 0 || mayFail else {
            throw TestFailure("\(arguments.joined(separator: " ")): \(status)\n\(result.error)\n\(result.text)")
        }
        return result
    }
}

/// Waits until something is true; an error that says what was awaited when it does not become so.
public func eventually(
    within seconds: Double = 20, _ what: String, _ condition: () throws -> Bool
) async throws {
    let end = Date().addingTimeInterval(seconds)
    while true {
        if try condition() { return }
        guard Date() < end else { throw TestFailure("not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        if let environment { process.environment = environment }
        // Files and not pipes: nothing to drain, nothing to block on.
        let files = try TemporaryFolder()
        for name in ["output", "error", "input"] { try files.write("", to: name) }
        if let input { try input.write(to: URL(fileURLWithPath: files("input"))) }
        process.standardInput = FileHandle(forReadingAtPath: files("input"))
        process.standardOutput = FileHandle(forWritingAtPath: files("output"))
        process.standardError = FileHandle(forWritingAtPath: files("error"))
        try process.run()
        process.waitUntilExit()
        let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
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

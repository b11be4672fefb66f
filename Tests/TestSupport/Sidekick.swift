public import Foundation

/// The real program, as a process.
public final class Sidekick: Sendable {
    /// Where the binary is: `SIDEKICK_BINARY`, or the one that was built beside the tests.
    public static let binary: String = {
        if let path = ProcessInfo.processInfo.environment["SIDEKICK_BINARY"], !path.isEmpty { return path }
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundlePath
        return ((bundle ?? CommandLine.arguments[0]) as NSString).deletingLastPathComponent + "/sidekick"
    }()

    private let process: ChildProcess
    private let files: TemporaryFolder

    /// Starts it. The environment holds what is given and nothing else.
    ///
    /// - Parameter wrapper: a command that runs the binary, such as one that changes the user.
    public init(
        _ arguments: [String] = [], environment: [String: String] = [:], wrapper: [String] = [],
        in folder: String? = nil
    ) throws {
        files = try TemporaryFolder()
        try files.write("", to: "error")
        process = try ChildProcess(
            wrapper + [Self.binary] + arguments, in: folder,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"].merging(environment) { $1 }, output: files("error"),
            error: files("error"))
    }

    /// Everything that it printed.
    public var log: String { (try? files.read("error")) ?? "" }

    /// Its process id.
    public var pid: Int32 { process.pid }

    /// When it ended.
    public var endTime: Date? { process.endTime }

    /// Whether it has not ended.
    public var isRunning: Bool { process.status == nil }

    /// Sends a signal.
    public func send(_ signal: Int32) { process.send(signal) }

    /// Waits for its end.
    ///
    /// - Returns: its exit status, or 128 and the signal.
    @discardableResult
    public func wait(within seconds: Double = 60) async throws -> Int32 {
        try await eventually(within: seconds, "sidekick ends\n\(log)") { !isRunning }
        return process.waitForEnd()
    }

    /// Asks it to stop and waits.
    @discardableResult
    public func stop() async throws -> Int32 {
        send(SIGTERM)
        return try await wait(within: 10)
    }

    /// Waits until its log holds a text.
    public func prints(_ text: String, within seconds: Double = 20) async throws {
        do {
            try await eventually(within: seconds, "\"\(text)\" in the log") { [self] in log.contains(text) }
        } catch {
            throw TestFailure("\(error):\n\(log)")
        }
    }

    /// One pass.
    public static func once(
        _ arguments: [String], environment: [String: String] = [:], wrapper: [String] = [], in folder: String? = nil
    ) async throws -> (status: Int32, log: String) {
        let sidekick = try Sidekick(arguments + ["--once"], environment: environment, wrapper: wrapper, in: folder)
        let status = try await sidekick.wait()
        return (status, sidekick.log)
    }
}

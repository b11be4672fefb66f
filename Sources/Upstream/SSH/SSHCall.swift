import Git
import Platform
import Subprocess

/// Runs one command on a host over ssh, as `SSHTransport` runs git's.
struct SSHCall {
    let options: UpstreamOptions

    /// What became of it.
    struct Answer {
        let isSuccess: Bool
        let output: [UInt8]
    }

    /// Of what it says, more is no answer to what is asked here.
    private static let maxOutput = 1 << 16
    /// What ssh itself ends with when it cannot reach the host, or log in there (ssh(1), EXIT STATUS).
    private static let failed: TerminationStatus = .exited(255)

    /// - Throws: `UpstreamError` when the host cannot be reached, or takes no key; `CancellationError`.
    func run(_ command: String) async throws -> Answer {
        let target = SSHTarget(options.url)
        let files = try await DiskThread.perform { [options] in try SSHFiles(options.ssh, for: options.url) }
        let arguments = target.arguments(files, timeout: options.timeout, command: command)
        let silence = UpstreamError.stalled(host: options.url.authority, time: options.timeout)
        return try await withDeadline(options.timeout, throwing: silence) { [options] in
            defer { withExtendedLifetime(files) {} }
            let result = try await Subprocess.run(
                .name("ssh"), arguments: Arguments(arguments), environment: .custom(files.variables), input: .none,
                output: .bytes(limit: Self.maxOutput), error: .string(limit: Self.maxOutput))
            if result.terminationStatus == Self.failed {
                throw SSHFailure(result.standardError, target: target, options: options).error(offering: nil)
            }
            return Answer(isSuccess: result.terminationStatus.isSuccess, output: result.standardOutput)
        }
    }
}

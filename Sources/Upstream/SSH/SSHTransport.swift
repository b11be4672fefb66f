import Platform
import Git
import Glibc
import NIOCore
import Subprocess
import Synchronization

/// git's protocol over the system's `ssh`: one process for each pass, given everything it needs and asked nothing.
final class SSHTransport: SmartTransport {
    private let options: UpstreamOptions
    private let traffic: Traffic
    private let target: SSHTarget
    private let versionRequest = Mutex(VersionRequest.environment)

    /// How a server is told that version 2 is spoken.
    private enum VersionRequest {
        /// By a variable of ours that it takes.
        case environment
        /// By a command that sets it.
        case command
        /// Not at all: the old version is all that there is.
        case none
    }

    init(_ options: UpstreamOptions, counting traffic: Traffic) {
        self.options = options
        self.traffic = traffic
        target = SSHTarget(options.url)
    }

    func withServer<Value: Sendable>(_ work: (any SmartServer) async throws -> Value) async throws -> Value {
        if versionRequest.withLock({ $0 }) == .environment {
            do { return try await connect(work) } catch is ProtocolV0 {
                // Many a sshd takes no variables of git's (AcceptEnv): where there is a shell, the command can set it.
                versionRequest.withLock { $0 = .command }
            }
        }
        var refusal: UpstreamError?
        if versionRequest.withLock({ $0 }) == .command {
            let began = Mutex(false)
            do {
                return try await connect { server in
                    began.withLock { $0 = true }
                    return try await work(server)
                }
            } catch is ProtocolV0 {
                versionRequest.withLock { $0 = .none }
            } catch let error as UpstreamError where error.isOfCommand && !began.withLock({ $0 }) {
                // Whoever runs git and nothing else runs no `env`, and says so in his own words.
                refusal = error
                versionRequest.withLock { $0 = .none }
            }
        }
        do { return try await connect(work) } catch {
            // It may have become another server, or `env` was not what was wrong.
            // What the work refuses, such as a rewritten history, says nothing of that.
            let isOfCommand = (error as? UpstreamError)?.isOfCommand == true
            if isOfCommand || error is ProtocolError { versionRequest.withLock { $0 = .environment } }
            throw isOfCommand ? refusal ?? error : error
        }
    }

    private func connect<Value: Sendable>(_ work: (any SmartServer) async throws -> Value) async throws -> Value {
        let files = try await DiskThread.perform { [options] in try SSHFiles(options.ssh, for: options.url) }
        let errors = LastLines()
        let silence = Silence(limit: options.timeout)
        do {
            return try await run(files, arguments(files), errors, silence, work)
        } catch {
            try Task.checkCancellation()
            if silence.hasEnded {
                throw UpstreamError.stalled(host: options.url.authority, time: options.timeout)
            }
            guard let error = error as? ProtocolError, error == .ended else {
                if let error = error as? SubprocessError { throw missing(error) }
                throw error
            }
            // It went away before it had said anything to us: it has told why on its other stream.
            let failure = SSHFailure(errors.text, target: target, options: options)
            if failure.isUnknownHost, let host = await SSHProbe(target, files).hostKey() {
                throw failure.error(offering: host)
            }
            throw failure.error(offering: nil)
        }
    }

    private func run<Value: Sendable>(
        _ files: SSHFiles, _ arguments: [String], _ errors: LastLines, _ silence: Silence,
        _ work: (any SmartServer) async throws -> Value
    ) async throws -> Value {
        var platform = PlatformOptions()
        // What it starts itself, such as a ProxyCommand, ends with it.
        platform.processGroupID = 0
        let result = try await Subprocess.run(
            .name("ssh"), arguments: Arguments(arguments), environment: .custom(files.variables),
            platformOptions: platform, input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
            let process = execution.processIdentifier.value
            return try await silence.watching {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { for try await bytes in execution.standardError { errors.add(bytes) } }
                    let value: Value
                    do {
                        value = try await talk(execution, silence, work)
                    } catch {
                        // What it says at its end is the reason.
                        if (error as? ProtocolError) == .ended {
                            try? await silence.waiting { try await group.waitForAll() }
                        }
                        kill(-process, SIGKILL)
                        throw error
                    }
                    kill(-process, SIGTERM)
                    return value
                }
            } end: {
                kill(-process, SIGKILL)
            }
        }
        withExtendedLifetime(files) {}
        return result.closureResult
    }

    private func talk<Value: Sendable>(
        _ execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>, _ silence: Silence,
        _ work: (any SmartServer) async throws -> Value
    ) async throws -> Value {
        // One reader, one call at a time.
        nonisolated(unsafe) var output = execution.standardOutput.makeAsyncIterator()
        let input = execution.standardInputWriter
        return try await StreamServer.lending(
            counting: traffic, keeping: versionRequest.withLock { $0 } == .none ? options.ref.keeps : nil,
            reading: {
                try await silence.waiting { try await output.next() }.map { buffer in
                    buffer.withUnsafeBytes { ByteBuffer(bytes: $0) }
                }
            },
            writing: { command in
                do {
                    _ = try await silence.waiting { try await input.write(command) }
                } catch is SubprocessError {
                    // It has ended: reading says why.
                }
            }, work)
    }

    private func arguments(_ files: SSHFiles) -> [String] {
        let command = (versionRequest.withLock { $0 } == .command ? "env GIT_PROTOCOL=version=2 " : "") + target.command
        return target.arguments(files, timeout: options.timeout, command: command)
    }

    private func missing(_ error: SubprocessError) -> any Error {
        UpstreamError.programMissing("ssh", reason: "\(error)")
    }
}

extension SSHFiles {
    /// All of ssh's environment.
    var variables: [Environment.Key: String] {
        var variables = environment
        variables["GIT_PROTOCOL"] = "version=2"
        variables["LC_ALL"] = "C"
        return Dictionary(
            uniqueKeysWithValues: variables.compactMap { name, value in
                Environment.Key(rawValue: name).map { ($0, value) }
            })
    }
}

/// The end of what a child says on its standard error.
final class LastLines: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    private static let limit = 8_192

    func add(_ more: SubprocessOutputSequence.Buffer) {
        more.withUnsafeBytes { more in
            bytes.withLock {
                $0 += more
                if $0.count > Self.limit { $0.removeFirst($0.count - Self.limit) }
            }
        }
    }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}

extension UpstreamError {
    /// Whether a server may have said it of the command that it was to run.
    fileprivate var isOfCommand: Bool {
        switch self {
        case .closed, .repositoryNotFound, .sshNeedsShell: true
        default: false
        }
    }
}

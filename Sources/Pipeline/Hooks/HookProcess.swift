import FoundationEssentials
import Git
import Glibc
import Logging
import Publishing
import Subprocess
import Platform
import SystemPackage

/// Runs a hook's command: with an environment that is made for it, in a process group of its own that ends with it, and for no
/// longer than it may take.
struct HookProcess: Sendable {
    let hook: Hook
    let command: HookCommand
    let settings: HookSettings
    /// Where the list of changed paths is written to.
    let folder: String
    let logger: Logger

    /// What a process has to end by itself, when it is told to: the daemon has little more.
    private static let patience = Duration.milliseconds(700)
    /// After which it is left alone.
    private static let lastPatience = Duration.seconds(3)

    /// - Throws: `HookFailure`, `CancellationError`.
    func run(_ publication: HookContext) async throws {
        let list = try write(publication)
        defer { unlink(list) }
        var variables = publication.variables(listedIn: list)
        for (name, value) in settings.environment { variables[name] = Array(value.utf8) }
        variables["PATH"] = Array(settings.searchPath.utf8)
        variables["HOME"] = settings.home.map { Array($0.utf8) }
        let (hook, logger) = (hook, logger)
        let output = try HookOutput { line in
            logger.info("hook", metadata: ["hook": "\(hook.rawValue)", "line": "\(line)"])
        }
        let status: TerminationStatus?
        do {
            status = try await spawn(in: publication.path, variables, output)
        } catch {
            _ = output.finish()
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            throw Self.failure(error, command)
        }
        let last = output.finish()
        try Task.checkCancellation()
        let words = last.isEmpty ? "" : ": \(last.printable())"
        switch status {
        case .exited(0): return
        case .exited(let code): throw HookFailure("ended with status \(code)\(words)")
        case .signaled(let signal): throw HookFailure("was ended by signal \(signal)\(words)")
        case nil:
            throw HookFailure(
                "took longer than \(settings.timeout.text)\(words)", result: .timedOut, recovery: .retry)
        }
    }

    /// - Returns: `nil` when its time was up.
    private func spawn(
        in folder: String, _ variables: [String: [UInt8]], _ output: HookOutput
    ) async throws -> TerminationStatus? {
        var platform = PlatformOptions()
        platform.processGroupID = 0
        platform.teardownSequence = [
            .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: Self.patience)
        ]
        let configuration = Configuration(
            executable: command.arguments[0].contains("/")
                ? .path(FilePath(command.arguments[0])) : .name(command.arguments[0]),
            arguments: Arguments(Array(command.arguments.dropFirst())),
            environment: .custom(variables.map { Array("\($0)=".utf8) + $1 + [0] }),
            workingDirectory: FilePath(folder), platformOptions: platform)
        let children = HookChildren()
        let run = Task {
            defer { children.end() }
            let end = FileDescriptor(rawValue: output.writingEnd)
            return try await Subprocess.run(
                configuration, input: .none,
                output: .fileDescriptor(end, closeAfterSpawningProcess: false), error: .combinedWithOutput
            ) { execution in
                children.begin(execution.processIdentifier.value)
            }.terminationStatus
        }
        let end = Latch<Void>()
        Task {
            _ = await run.result
            end.set(())
        }
        let timeout = settings.timeout
        if await end.wait(orUntil: { try await Alarm.wait(timeout) }) != nil { return try await run.value }
        run.cancel()
        // One that may not be signaled, another user's or one that waits for a disk, must not hold up a pass for ever.
        _ = await Task { await end.wait(orUntil: { try await Alarm.wait(Self.lastPatience) }) }.value
        return nil
    }

    private func write(_ publication: HookContext) throws -> String {
        let path = folder + "/\(hook.rawValue).paths"
        // It tells of a commit that the gate may refuse. What a killed process leaves of it goes with the next one.
        do {
            try WholeFile.replace(path, with: publication.list)
        } catch {
            throw HookFailure("cannot be told which paths changed: \(error.fileFailure)", recovery: .retry)
        }
        return path
    }

    private static func failure(_ error: any Error, _ command: HookCommand) -> HookFailure {
        let program = command.arguments[0]
        if program.contains("/"), access(program, X_OK) != 0 {
            let reason = String(cString: strerror(errno))
            return HookFailure("cannot be run: \(program.printable()): \(reason)", recovery: .fixConfiguration)
        }
        if let error = error as? SubprocessError, error.code == .executableNotFound {
            return HookFailure("cannot be run: \(program.printable()) is not in PATH", recovery: .fixConfiguration)
        }
        return HookFailure("cannot be run: \("\(error)".printable())", recovery: .retry)
    }
}

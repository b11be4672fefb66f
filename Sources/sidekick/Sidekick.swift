import ArgumentParser
import Dispatch
import Edge
import FoundationEssentials
import Glibc
import Logging
import Pipeline
import Platform

/// Parse, wire, exit: the only place that reads the environment and ends the process.
@MainActor @main enum Program {
    /// On the main thread, before there is another one: each of them takes a heap of its own at its first allocation. A command
    /// that waits for nothing, as `health` every few seconds, is done before there is one.
    static func main() {
        Heap.tune()
        // A thread of libdispatch's asks for such a priority too; that anybody but root is refused it would tell syslog(3).
        setenv("LIBDISPATCH_LOG", "NO", 0)
        // A core dump holds every secret.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        do {
            // What every container asks every few seconds needs none of the parser's tables.
            if arguments == ["health"] {
                try HealthCommand.check(locating([:]), maxAge: nil)
                return
            }
            if arguments == ["--version"] { return print(Version.text) }
            if ["-h", "--help", "help"].contains(arguments.first), arguments.count == 1 { return print(Help.text) }
            try start(Sidekick.parseAsRoot(arguments))
        } catch {
            Sidekick.exit(withError: error)
        }
        wait()
    }

    /// What runs until the process ends, for the one task that it is: nobody comes back to the frame that would hold it.
    nonisolated(unsafe) private static var running: (any AsyncParsableCommand)?

    private static func start(_ command: any ParsableCommand) throws {
        running = command as? any AsyncParsableCommand
        guard running != nil else {
            var command = command
            try command.run()
            Sidekick.exit()
        }
    }

    private static func wait() -> Never {
        // By itself it would have the priority of what a user waits for, and so would all that it starts: run by root it would take
        // the processor from the web server beside it.
        Task(priority: .medium) { @MainActor in
            nonisolated(unsafe) var command = running
            do {
                try await command?.run()
                Sidekick.exit()
            } catch {
                Sidekick.exit(withError: error)
            }
        }
        dispatchMain()
    }

    /// All of the manual is that of the command that needs no name.
    private static var arguments: [String] {
        let arguments = Array(CommandLine.arguments.dropFirst())
        return arguments == ["--help-all"] ? ["follow", "--help"] : arguments
    }
}

/// The commands.
struct Sidekick: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sidekick", abstract: FollowCommand.configuration.abstract, version: Version.text,
        subcommands: [
            FollowCommand.self, CheckCommand.self, StatusCommand.self, HealthCommand.self, SyncCommand.self,
            VerifyCommand.self,
            RollbackCommand.self,
            ResumeCommand.self, ManualPageCommand.self, SettingsPageCommand.self,
        ], defaultSubcommand: FollowCommand.self)
}

/// What `sidekick` does when it is given no command.
struct FollowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Keeps the folder that a web server serves equal to a git repository.",
        usage: """
            sidekick [<repository>] [<destination>] [<options>]
            sidekick check [<repository>] [<destination>] [<options>]
            sidekick status [<destination>] [--json]
            sidekick health [<destination>]
            sidekick sync [<destination>]
            sidekick verify [<destination>] [--repair]
            sidekick rollback [<commit>] --destination <path>
            sidekick resume --destination <path>
            """,
        discussion: Manual.discussion)

    @OptionGroup var place: PlaceOptions
    @OptionGroup var options: FollowOptions

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        #if DEBUG
            DiskThread.enforce()
        #endif
        stopAtOnceUntilTheLoopRuns()
        let settings = try configure()
        let logger = Logger(label: "sidekick")
        do {
            let (doorbell, journal) = (Doorbell(), Journal())
            var surroundings = Loop.Surroundings(
                doorbell: doorbell, journal: journal,
                notifier: settings.hooks.receiver.map {
                    HTTPNotifier($0, settings: settings, version: Version.text)
                }, logger: logger, version: Version.text)
            let environment = ProcessInfo.processInfo.environment
            surroundings.manager = ServiceManager(
                socket: environment["NOTIFY_SOCKET"], watchdog: environment["WATCHDOG_USEC"],
                process: environment["WATCHDOG_PID"])
            surroundings.isTerminal = isatty(STDERR_FILENO) == 1
            let loop = try await Loop.open(settings, in: surroundings)
            let edge = settings.edge.flatMap { edge in
                options.once
                    ? nil
                    : EdgeServer(edge, settings: settings, journal: journal, doorbell: doorbell, logger: logger)
            }
            try await Daemon(
                loop: loop, doorbell: doorbell, once: options.once, edge: edge, manager: surroundings.manager
            ).runUntilStopped()
        } catch let error as SyncError {
            logger.error(
                "\(options.once && error.stage != .configure ? "pass failed" : "cannot start")",
                metadata: ["stage": "\(error.stage.rawValue)", "cause": "\(error.cause)", "remedy": "\(error.remedy)"])
            throw ExitCode(error.exitCode.rawValue)
        } catch is CancellationError {
            if options.once { throw ExitCode(ExitStatus.temporaryFailure.rawValue) }
        }
    }

    /// Taking possession of DESTINATION may take a while, and as process 1 of a container nothing would end it by default.
    private func stopAtOnceUntilTheLoopRuns() {
        signal(SIGHUP, SIG_IGN)
        for number in [SIGTERM, SIGINT] {
            if options.once {
                signal(number) { _ in _exit(ExitStatus.temporaryFailure.rawValue) }
            } else {
                signal(number) { _ in _exit(ExitStatus.success.rawValue) }
            }
        }
    }

    private func configure() throws -> Settings {
        let flags = place.values.merging(options.values) { $1 }
        let (settings, warnings) = try configuring {
            () throws(SettingsError) in
            try Settings.parse(
                flags: flags, environment: ProcessInfo.processInfo.environment, odd: RawEnvironment.odd)
        }
        LoggingSystem.bootstrap { _ in
            LineLogHandler(format: settings.logFormat, level: Logger.Level(rawValue: settings.logLevel) ?? .info)
        }
        // What was read is not needed there again, and every process of this user can read it (proc(5), environ).
        EnvironmentSecrets.wipe()
        for warning in warnings { Logger(label: "sidekick").warning("setting", metadata: ["what": "\(warning)"]) }
        return settings
    }
}

/// Bad settings end the process with their own status, each on a line of its own.
func configuring<Value>(_ work: () throws(SettingsError) -> Value) throws -> Value {
    do throws(SettingsError) {
        return try work()
    } catch {
        for problem in error.problems { printError("sidekick: \(problem)") }
        throw ExitCode(ExitStatus.usage.rawValue)
    }
}

func printError(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

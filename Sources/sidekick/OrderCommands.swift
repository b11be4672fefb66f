import ArgumentParser
import FoundationEssentials
import Logging
import Pipeline

/// Publishes an earlier commit and holds it.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Publishes an earlier commit from the store, without the remote, and holds it.",
        discussion: """
            It is held, across restarts, until `sidekick resume` or until another SIDEKICK_REF is followed. The published \
            commit and the two before it are kept; others may still be there.
            """)

    @OptionGroup var place: PlaceOptions
    @Argument(help: ArgumentHelp("A commit id, or the first digits of one. Default: what was published before."))
    var commit: String?

    func run() async throws { try await place.perform(.rollback(commit: commit)) }
}

/// Ends a hold.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Follows the remote again after a rollback.")

    @OptionGroup var place: PlaceOptions

    func run() async throws { try await place.perform(.resume) }
}

/// Asks for a pass, and waits for it.
struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Asks the sidekick that is running for a pass now, and waits for its result.",
        discussion: "Exits as --once does. It needs no port: it asks through the state folder.")

    @OptionGroup var place: PlaceOptions
    @Argument(help: ArgumentHelp("The same as --destination.", valueName: "destination")) var destination: String?

    func run() async throws { try await place.perform(.sync, destination) }
}

/// Compares every byte of what is published with its commit.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compares every byte of what is published with its commit.",
        discussion: "Exits 0 when all is equal, else 1 with a line for each path that differs.")

    @OptionGroup var place: PlaceOptions
    @Argument(help: ArgumentHelp("The same as --destination.", valueName: "destination")) var destination: String?
    @Flag(help: "Make anew what differs; what sidekick did not publish goes to lost+found where the tree is its own.")
    var repair = false

    func run() async throws {
        if repair { return try await place.perform(.repair, destination) }
        let report: VerifyReport
        do {
            let (destination, state) = try place.location(destination)
            report = try VerifyReport.read(destination: destination, state: state)
        } catch let error as SyncError {
            printError("sidekick: \(error.cause); \(error.remedy)")
            throw ExitCode(error.exitCode.rawValue)
        }
        for difference in report.differences + report.unreadable { print(difference) }
        printError("sidekick: \(report.summary)")
        if !report.differences.isEmpty { throw ExitCode(ExitStatus.unhealthy.rawValue) }
    }
}

/// DESTINATION and its state folder, by flags and the environment.
func locating(_ flags: [String: String]) throws -> (destination: String, state: String?) {
    try configuring {
        () throws(SettingsError) in
        try Settings.location(flags: flags, environment: ProcessInfo.processInfo.environment)
    }
}

extension PlaceOptions {
    func location(_ argument: String?) throws -> (destination: String, state: String?) {
        var flags = values
        if let argument { flags[Setting.destination.name] = argument }
        return try locating(flags)
    }

    fileprivate func perform(_ order: Order, _ argument: String? = nil) async throws {
        let (destination, state) = try location(argument)
        LoggingSystem.bootstrap { _ in LineLogHandler(format: .text, level: .warning) }
        do {
            let answer = try await OrderClient.perform(
                order, destination: destination, state: state, logger: Logger(label: "sidekick"))
            guard answer.isDone else {
                for line in answer.lines { printError("sidekick: \(line)") }
                throw ExitCode((answer.exitStatus ?? .unhealthy).rawValue)
            }
            for line in answer.lines { print(line) }
        } catch let error as SyncError {
            printError("sidekick: \(error.cause); \(error.remedy)")
            throw ExitCode(error.exitCode.rawValue)
        }
    }
}

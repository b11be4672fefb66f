import ArgumentParser
import Glibc
import Pipeline
import Platform

/// What is published, and how the last passes went.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows what is published and how the last passes went.")

    @OptionGroup var place: PlaceOptions
    @Argument(help: ArgumentHelp("The same as --destination.", valueName: "destination")) var destination: String?
    @Flag(help: "The status as it is stored, as JSON.") var json = false
    @Flag(help: "Show it again every second, until Ctrl-C.") var watch = false

    func run() throws {
        guard watch else { return try show() }
        while true {
            // From the top, over what stood there.
            print("\u{1B}[H\u{1B}[J", terminator: "")
            try? show()
            fflush(nil)
            sleep(1)
        }
    }

    private func show() throws {
        let location = try place.location(destination)
        let (report, isRunning) = try reading(location)
        guard let report else {
            let why = isRunning ? ": the first one is going on" : ", and no sidekick runs on \(location.destination)"
            printError("sidekick: no pass has ended yet" + why)
            throw ExitCode(ExitStatus.unhealthy.rawValue)
        }
        guard !json else { return print(report.json, terminator: "") }
        let now = wallSeconds()
        let color: Terminal.Color =
            switch report.verdict {
            case .well: .green
            case .held: .yellow
            case .failing, .stopped, .nothing: .red
            }
        print(Terminal.colored(report.headline(now: now), color))
        print(report.rows(now: now).joined(separator: "\n"))
    }
}

/// A container's health check: does the loop run? A dead remote is no reason to be unhealthy.
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Exits 0 when the loop runs, 1 when it does not.",
        discussion: "A remote that is down does not make it unhealthy: the site is still served, and passes go on.")

    @OptionGroup var place: PlaceOptions
    @Argument(help: ArgumentHelp("The same as --destination.", valueName: "destination")) var destination: String?
    @Option(help: ArgumentHelp("Also unhealthy when the last pass that succeeded is longer ago.", valueName: "time"))
    var maxAge: String?

    func validate() throws {
        if let maxAge, SettingValue.duration(maxAge) == nil {
            throw ValidationError("--max-age takes \(SettingValue.durations)")
        }
    }

    func run() throws {
        try Self.check(try place.location(destination), maxAge: maxAge.flatMap { SettingValue.duration($0) })
    }

    /// What the command does.
    static func check(_ location: (destination: String, state: String?), maxAge: Duration?) throws {
        let (report, isRunning) = try reading(location)
        guard
            let complaint = report.map({ $0.complaint ?? $0.complaint(maxAge: maxAge) })
                ?? (isRunning ? nil : "no sidekick is running")
        else { return }
        printError("sidekick: \(complaint)")
        throw ExitCode(ExitStatus.unhealthy.rawValue)
    }
}

private func reading(
    _ location: (destination: String, state: String?)
) throws -> (report: StatusReport?, isRunning: Bool) {
    do {
        return try StatusReport.read(destination: location.destination, state: location.state)
    } catch {
        printError("sidekick: \(SyncError.cause(of: error))")
        throw ExitCode(ExitStatus.unhealthy.rawValue)
    }
}

import ArgumentParser
import FoundationEssentials
import Glibc
import Pipeline

/// Looks at what a pass needs, before there is one.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Tries the settings: the folder, the connection, the login, the reference, and what else a pass needs.",
        discussion: """
            It takes what the daemon takes, from flags and the environment, connects and logs in, and changes nothing; a \
            daemon may run meanwhile. Exits 0 when nothing fails, else as --once would.
            """)

    @OptionGroup var place: PlaceOptions
    @OptionGroup var options: FollowOptions
    @Flag(help: "The result as JSON.") var json = false

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let flags = place.values.merging(options.values) { $1 }
        let items: [CheckItem]
        do throws(SettingsError) {
            let (settings, _) = try Settings.parse(
                flags: flags, environment: ProcessInfo.processInfo.environment, odd: RawEnvironment.odd)
            EnvironmentSecrets.wipe()
            items = await Check(settings, version: Version.text).run()
        } catch {
            items = CheckItem.items(error)
        }
        if json { try printJSON(items) } else { printLines(items) }
        let status = Check.exitStatus(of: items)
        if status != .success { throw ExitCode(status.rawValue) }
    }

    private func printJSON(_ items: [CheckItem]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(["items": items]), as: UTF8.self))
    }

    /// In color on a terminal, unless NO_COLOR says otherwise (no-color.org).
    private func printLines(_ items: [CheckItem]) {
        let isColored =
            isatty(STDOUT_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
        let width = items.map(\.name.count).max() ?? 0
        for item in items {
            let (word, color) =
                switch item.verdict {
                case .ok: ("ok", "32")
                case .failed: ("FAILED", "31")
                case .unknown: ("unknown", "33")
                }
            let padded = word + String(repeating: " ", count: 8 - word.count)
            let verdict = isColored ? "\u{1B}[\(color)m\(padded)\u{1B}[0m" : padded
            let name = item.name + String(repeating: " ", count: width - item.name.count)
            print("\(verdict)\(name)  \(item.found)")
            if let remedy = item.remedy { print(String(repeating: " ", count: 10 + width) + remedy) }
        }
    }
}

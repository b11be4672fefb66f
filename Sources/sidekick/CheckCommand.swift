import ArgumentParser
import Dispatch
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
            daemon may run meanwhile. With --plan it does all of a pass but for files of Git LFS, the gate and the publishing. Exits 0 when nothing fails, else as --once would.
            """)

    @OptionGroup var place: PlaceOptions
    @OptionGroup var options: FollowOptions
    @Flag(help: "Fetch the commit too, into a folder of TMPDIR that is removed, and list what a pass would change.")
    var plan = false
    @Flag(help: "The result as JSON.") var json = false

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let flags = place.values.merging(options.values) { $1 }
        var items: [CheckItem]
        var passPlan: PassPlan?
        do throws(SettingsError) {
            let (settings, warnings) = try Settings.parse(
                flags: flags, environment: ProcessInfo.processInfo.environment, odd: RawEnvironment.odd)
            EnvironmentSecrets.wipe()
            let check = Check(settings, warnings: warnings, version: Version.text)
            items = await check.run()
            if plan, Check.exitStatus(of: items) == .success {
                do { passPlan = try await Self.plan(check) } catch { items.append(CheckItem.plan(failed: error)) }
            }
        } catch {
            items = CheckItem.items(error)
        }
        if json { try printJSON(items, passPlan) } else { printLines(items) }
        if let passPlan, !json { print(passPlan.text) }
        let status = Check.exitStatus(of: items)
        if status != .success { throw ExitCode(status.rawValue) }
    }

    /// Whatever ends the process before its time, the folder goes.
    private static func plan(_ check: Check) async throws -> PassPlan {
        let folder = try FetchFolder()
        defer { folder.remove() }
        let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                folder.remove()
                _exit(128 + number)
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        return try await check.plan(in: folder.path)
    }

    private struct Result: Encodable {
        let items: [CheckItem]
        let plan: PassPlan?
    }

    private func printJSON(_ items: [CheckItem], _ plan: PassPlan?) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(Result(items: items, plan: plan)), as: UTF8.self))
    }

    private func printLines(_ items: [CheckItem]) {
        let width = items.map(\.name.count).max() ?? 0
        for item in items {
            let (word, color): (String, Terminal.Color) =
                switch item.verdict {
                case .ok: ("ok", .green)
                case .failed: ("FAILED", .red)
                case .unknown: ("unknown", .yellow)
                }
            let verdict = Terminal.colored(word + String(repeating: " ", count: 8 - word.count), color)
            let name = item.name + String(repeating: " ", count: width - item.name.count)
            print("\(verdict)\(name)  \(item.found)")
            if let remedy = item.remedy { print(String(repeating: " ", count: 10 + width) + remedy) }
        }
    }
}

/// A folder for what is fetched, below TMPDIR.
private struct FetchFolder: Sendable {
    let path: String

    init() throws {
        let above = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        guard let made = strdup("\(above)/sidekick-check-XXXXXX") else { throw ExitCode.failure }
        defer { free(made) }
        guard mkdtemp(made) != nil else {
            throw SyncError(
                stage: .fetch, cause: "cannot make a folder below \(above): \(String(cString: strerror(errno)))",
                remedy: "set TMPDIR to a folder that may be written", recovery: .fixConfiguration,
                exitCode: .cannotCreate)
        }
        path = String(cString: made)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

import FoundationEssentials
import Git
import Logging
import Publishing
import Synchronization

/// What each hook was told last, on the disk: a process that was killed between a publish and a hook, or in the middle of one,
/// leaves it to the next.
final class HookLedger: Sendable {
    struct Entry: Codable, Equatable {
        /// What it was told of, and took.
        var told: PublishedName?
        /// What it is being told of.
        var begun: PublishedName?
        /// Whether it was told that passes fail.
        var isFailing: Bool?
    }

    private let path: String
    private let entries: Mutex<[String: Entry]>
    private let logger: Logger

    init(_ destination: Destination, logger: Logger) {
        path = destination.state + "/hooks.json"
        self.logger = logger
        let data = try? Data(contentsOf: URL(filePath: path))
        entries = Mutex(data.flatMap { try? JSONDecoder().decode([String: Entry].self, from: $0) } ?? [:])
    }

    subscript(hook: Hook) -> Entry { entries.withLock { $0[hook.rawValue] ?? Entry() } }

    func change(_ hook: Hook, _ body: (inout Entry) -> Void) {
        entries.withLock { entries in
            let before = entries[hook.rawValue]
            body(&entries[hook.rawValue, default: Entry()])
            guard entries[hook.rawValue] != before else { return }
            do {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                try encoder.encode(entries).write(to: URL(filePath: path), options: .atomic)
            } catch {
                // This process knows; the next one would tell it once more.
                logger.warning(
                    "hooks' state cannot be written", metadata: ["path": "\(path)", "cause": "\(error.fileFailure)"])
            }
        }
    }
}

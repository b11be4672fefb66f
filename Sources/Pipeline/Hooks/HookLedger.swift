import Git
import Logging
import Publishing
import Synchronization
import Platform
import Trust

/// What each hook was told last, on the disk: a process that was killed between a publish and a hook, or in the middle of one,
/// leaves it to the next.
final class HookLedger: Sendable {
    struct Entry: Codable, Equatable {
        /// What it was told of, and took.
        var told: PublishedName?
        /// What it has been told of since, and did not take.
        var tried: [PublishedName]?
        /// Whether it was told that passes fail.
        var isFailing: Bool?
    }

    /// The reference that named a commit when it was published.
    struct Origin: Codable, Equatable {
        var commit: String
        /// As text.
        var ref: String
        /// Where that does not tell it: not every name is UTF-8.
        var bytes: [UInt8]?
        var signer: Signer?

        init(commit: String, _ name: ReferenceName, signer: Signer?) {
            (self.commit, ref, self.signer) = (commit, name.text, signer)
            bytes = ReferenceName(ref) == name ? nil : name.bytes
        }

        var name: ReferenceName { bytes.map { ReferenceName(bytes: $0) } ?? ReferenceName(ref) }
    }

    private struct Book: Codable, Equatable {
        var hooks: [String: Entry] = [:]
        var origin: Origin?
    }

    private let file: StateFile<Book>
    private let book: Mutex<Book>
    private let logger: Logger

    init(_ destination: Destination, logger: Logger) {
        file = StateFile(destination.stateFolder + "/hooks.json", isDurable: true)
        self.logger = logger
        book = Mutex((try? file.read()) ?? Book())
    }

    subscript(hook: Hook) -> Entry { book.withLock { $0.hooks[hook.rawValue] ?? Entry() } }

    func change(_ hook: Hook, _ body: (inout Entry) -> Void) {
        change { body(&$0.hooks[hook.rawValue, default: Entry()]) }
    }

    /// Before a commit is shown.
    ///
    /// - Parameter ref: the full name of the reference.
    func note(_ commit: String, from ref: ReferenceName, signer: Signer?) {
        change { $0.origin = Origin(commit: commit, ref, signer: signer) }
    }

    /// Who has signed it, where that was looked at.
    func signer(of published: Published) -> Signer? {
        book.withLock { $0.origin.flatMap { $0.commit == "\(published.commit)" ? $0.signer : nil } }
    }

    /// The full name of the reference that named it; empty for what an operator holds.
    func ref(of published: Published) -> ReferenceName {
        book.withLock { $0.origin.flatMap { $0.commit == "\(published.commit)" ? $0.name : nil } ?? .empty }
    }

    private func change(_ body: (inout Book) -> Void) {
        book.withLock { book in
            let before = book
            body(&book)
            guard book != before else { return }
            do {
                try file.write(book)
            } catch {
                // This process knows; the next one would tell it once more.
                logger.warning(
                    "hooks' state cannot be written",
                    metadata: ["path": "\(file.path)", "cause": "\(error.fileFailure)"])
            }
        }
    }
}

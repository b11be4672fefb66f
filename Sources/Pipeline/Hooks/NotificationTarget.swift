import Platform
import Git
import Glibc
import Publishing
import Synchronization
import Upstream

/// SIDEKICK_NOTIFY_URL: is told of each publish, of the first of failures in a row, and of their end.
final class NotificationTarget: HookTarget {
    let hook = Hook.notify
    private let notifier: any Notifier
    private let ledger: HookLedger
    private let publisher: Publisher
    private let executor: GitExecutor
    private let settings: Settings
    private let health = Mutex<Health?>(nil)

    /// How passes end, and since when they do.
    private struct Health {
        var failure: Status.Failure?
        var since: Double
    }

    init(
        _ notifier: any Notifier, _ ledger: HookLedger, _ publisher: Publisher, _ executor: GitExecutor,
        _ settings: Settings
    ) {
        self.notifier = notifier
        self.ledger = ledger
        self.publisher = publisher
        self.executor = executor
        self.settings = settings
    }

    /// A pass has ended.
    ///
    /// - Returns: whether that is news.
    func note(_ failure: Status.Failure?) -> Bool {
        health.withLock { health in
            if let before = health, (before.failure == nil) == (failure == nil) {
                health?.failure = failure
                return false
            }
            health = Health(failure: failure, since: wallSeconds())
            return (failure != nil) != isToldOfFailure
        }
    }

    private var isToldOfFailure: Bool { ledger[hook].isFailing ?? false }

    func tell() async throws -> Bool {
        let publisher = publisher
        let published = try await executor.run { try publisher.published() }
        let entry = ledger[hook]
        if let published, entry.told != published.name {
            let name = published.name
            var message = message(.published, at: Double(published.since), published)
            message.previous = entry.told?.commit
            try await send(message, of: name.commit)
            ledger.change(hook) { $0.told = name }
            return true
        }
        guard let health = health.withLock({ $0 }), (health.failure != nil) != isToldOfFailure else {
            return false
        }
        var message = message(health.failure == nil ? .recovered : .failed, at: health.since, published)
        message.failure = health.failure
        message.text = text(message)
        try await send(message, of: "")
        ledger.change(hook) { $0.isFailing = health.failure != nil }
        return true
    }

    private func message(_ event: Notification.Event, at time: Double, _ published: Published?) -> Notification {
        var notification = Notification(
            event: event, text: "", time: timestamp(time), host: Self.host,
            repository: settings.upstream.url.description, ref: published.map { ledger.ref(of: $0).text } ?? "",
            destination: publisher.destination.path,
            published: published.map { published in
                var tree = Status.Tree(published)
                tree.signer = ledger.signer(of: published)
                return tree
            })
        notification.text = text(notification)
        return notification
    }

    private func send(_ message: Notification, of commit: String) async throws {
        let id = [message.event.rawValue, message.host, message.destination, message.time, commit]
        let digest = id.joined(separator: "\n").withUTF8Bytes { ObjectID(hashing: $0) }
        try await notifier.send(message, id: "msg_\(digest)")
    }

    private func text(_ message: Notification) -> String {
        let place = "\(message.destination) on \(message.host)"
        let ref = message.ref.isEmpty ? "\(settings.upstream.ref)" : message.ref
        let what = "\(ref) of \(message.repository)"
        return switch message.event {
        case .published: "published \(message.published?.commit.prefix(12) ?? ""), \(what), at \(place)"
        case .recovered: "recovered: \(place) follows \(what) again"
        case .failed:
            "failing: \(place) cannot follow \(what): "
                + (message.failure.map { "\($0.stage.rawValue): \($0.cause); \($0.remedy)" } ?? "")
        }
    }

    /// The name of this machine.
    private static var host: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension String {
    fileprivate func withUTF8Bytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try Array(utf8).withUnsafeBytes(body)
    }
}

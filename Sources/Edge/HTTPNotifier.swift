import Platform
import FoundationEssentials
public import Pipeline
import Upstream

/// POSTs notifications to SIDEKICK_NOTIFY_URL. With a secret each is signed in the two ways that receivers know: as Standard
/// Webhooks 1.0 has it, with an id and a time against repetition, and as GitHub does.
public struct HTTPNotifier: Notifier {
    private let receiver: HookSettings.Receiver
    private let sender: OneShotHTTPClient

    /// - Parameter version: of the program, for the receiver's log.
    public init(_ receiver: HookSettings.Receiver, settings: Settings, version: String) {
        self.receiver = receiver
        var options = settings.upstream
        options.agent = "sidekick/\(version)"
        sender = OneShotHTTPClient(like: options, timeout: settings.hooks.timeout)
    }

    /// - Throws: `HookFailure` unless it is answered with 2xx, `CancellationError`.
    public func send(_ notification: Notification, id: String) async throws {
        do {
            // Both may be files that are changed while this runs.
            let (url, secret) = try await DiskThread.perform { [receiver] in
                (try receiver.url.read().reveal(), try receiver.secret?.read().reveal())
            }
            let body = try Self.body(notification)
            let answer = try await sender.post(
                body, to: url, headers: try Self.headers(body, notification.event, id: id, secret: secret))
            guard !(200..<300).contains(answer.status) else { return }
            throw HookFailure("was answered \(answer.status)\(Self.hint(answer.status))", retryAfter: answer.retryAfter)
        } catch let error as UpstreamError {
            throw HookFailure(
                "cannot be reached: \(error.description)", result: error.isSilence ? .timedOut : .failed)
        }
    }

    private static func hint(_ status: Int) -> String {
        (300..<400).contains(status) ? ": give the address that it redirects to" : ""
    }

    private static func body(_ notification: Notification) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(notification))
    }

    /// - Parameter now: seconds since 1970.
    static func headers(
        _ body: [UInt8], _ event: Notification.Event, id: String, secret: String?,
        now: Int = Int(Date().timeIntervalSince1970)
    ) throws(HookFailure) -> [(name: String, value: String)] {
        guard var headers = StandardWebhook.headers(body, id: id, now: now, secrets: secret.map { [$0] } ?? []) else {
            throw HookFailure("has a secret that begins with whsec_ and is not base64")
        }
        headers.append(("X-Sidekick-Event", event.rawValue))
        guard let secret else { return headers }
        let plain = MessageCode(of: body, key: secret.utf8)
        headers.append(("X-Hub-Signature-256", "sha256=" + plain.bytes.map { Self.hex($0) }.joined()))
        return headers
    }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

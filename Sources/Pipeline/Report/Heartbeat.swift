import Platform
import Synchronization
import Upstream

/// Tells a monitor that passes succeed (SIDEKICK_HEARTBEAT_URL): one that hears nothing for too long raises the alarm, also when this
/// machine is gone.
final class Heartbeat: Sendable {
    private let url: CredentialSource.Place
    private let client: OneShotHTTPClient
    private let last = Mutex<(time: Double, task: Task<Void, Never>)?>(nil)
    private let now: @Sendable () -> Double
    private let tell: @Sendable (String) -> Void

    /// Seconds between two, at least: monitors count in minutes.
    static let pause = 60.0
    /// The longest that one may take.
    static let timeout = Duration.seconds(10)

    /// - Parameter tell: takes why one could not be sent.
    init(
        _ url: CredentialSource.Place, like options: UpstreamOptions,
        now: @escaping @Sendable () -> Double = monotonicSeconds, tell: @escaping @Sendable (String) -> Void
    ) {
        (self.url, self.now, self.tell) = (url, now, tell)
        client = OneShotHTTPClient(like: options, timeout: Self.timeout)
    }

    /// A pass has succeeded. Where it is time for one it is sent, and nobody waits for it.
    func beat() {
        let now = now()
        last.withLock { last in
            guard last.map({ now - $0.time >= Self.pause }) ?? true else { return }
            last = (now, Task { await send() })
        }
    }

    /// Waits for the last one: of a process that ends.
    func finish() async { await last.withLock { $0?.task }?.value }

    private func send() async {
        do {
            let address = try await DiskThread.perform { [url] in try url.read().reveal() }
            let answer = try await client.get(address)
            if !(200..<300).contains(answer.status) { tell("it was answered \(answer.status)") }
        } catch {
            tell("\(error)")
        }
    }
}

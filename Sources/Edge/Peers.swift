import FoundationEssentials
import Logging
import Pipeline
import Synchronization
import Upstream

/// The other replicas. A load balancer brings a webhook to one of them: that one passes it on to all, by the addresses that
/// their names have at that moment. A replica that cannot be reached finds the push by polling.
struct Peers: Sendable {
    private let peers: [PeerAddress]
    private let sender: OneShotHTTPClient
    private let journal: Journal
    private let logger: Logger
    private let complaints = RateLimitedLog()
    private let names = Newest<Message>()
    private let addresses = Newest<Message>()
    private let heard = Heard()
    /// What the ids of our deliveries begin with: one of the addresses is often our own.
    private let sign = UUID().uuidString.lowercased()

    /// Seconds that name servers may take, and then a replica.
    private static let patience = Duration.seconds(5)
    /// Of one name. Whoever has more replicas needs something else than each telling all.
    private static let maxAddresses = 64

    private enum Result: String, CaseIterable { case accepted, failed }

    /// A webhook as it is passed on, to each the same.
    private struct Message: Sendable {
        let body: [UInt8]
        let headers: [(name: String, value: String)]
    }

    init(_ edge: EdgeSettings, settings: Settings, journal: Journal, logger: Logger) {
        peers = edge.peers
        var options = settings.upstream
        // They are neighbors.
        options.proxies = ProxyRules([:])
        sender = OneShotHTTPClient(like: options, timeout: Self.patience)
        (self.journal, self.logger) = (journal, logger)
        guard !peers.isEmpty else { return }
        for result in Result.allCases { journal.metrics.add(0, to: .relays, result.rawValue) }
    }

    /// Whether a delivery is neither one that this replica sent nor one that it has had already.
    ///
    /// - Parameter now: seconds since 1970.
    func isNews(_ delivery: WebhookRequest, now: Double) -> Bool {
        guard let id = delivery["webhook-id"], !id.hasPrefix(sign) else { return false }
        return heard.isNew(id, now: now)
    }

    /// Tells all of them, and does not wait for it. One that is slow holds up nobody else, and is told the newest next.
    func tell(_ relay: Relay, _ secrets: [String]) {
        let (id, now) = ("\(sign).\(UUID().uuidString.lowercased())", Int(Date().timeIntervalSince1970))
        guard !peers.isEmpty, let body = try? JSONEncoder().encode(relay) else { return }
        guard let headers = StandardWebhook.headers(Array(body), id: id, now: now, secrets: secrets) else {
            return failed("all", "a secret begins with whsec_ and is not base64")
        }
        for peer in peers {
            names.send(Message(body: Array(body), headers: headers), to: "\(peer.host):\(peer.port)") { message in
                await tell(peer, message)
            }
        }
    }

    private func tell(_ peer: PeerAddress, _ message: Message) async {
        do {
            for host in Set(try await HostAddresses.all(of: peer.host, within: Self.patience)).prefix(
                Self.maxAddresses)
            {
                let authority = "\(host):\(peer.port)"
                addresses.send(message, to: authority) { await tell(authority, $0) }
            }
        } catch {
            failed("\(peer.host):\(peer.port)", "\(error)")
        }
    }

    /// - Parameter authority: an address, and a port.
    private func tell(_ authority: String, _ message: Message) async {
        do {
            let answer = try await sender.post(
                message.body, to: "http://\(authority)/webhooks/\(Provider.peer.rawValue)", headers: message.headers)
            guard (200..<300).contains(answer.status) else { return failed(authority, "it answered \(answer.status)") }
            journal.metrics.add(to: .relays, Result.accepted.rawValue)
        } catch {
            failed(authority, "\(error)")
        }
    }

    private func failed(_ peer: String, _ cause: String) {
        journal.metrics.add(to: .relays, Result.failed.rawValue)
        complaints.tell {
            logger.warning(
                "webhook not passed on",
                metadata: ["peer": "\(peer)", "cause": "\(cause)", "remedy": "it will find the push by polling"])
        }
    }
}

/// One message at a time to each receiver, and of those that wait for him the newest.
private final class Newest<Message: Sendable>: Sendable {
    /// Those who are being told, and what waits for them.
    private let waiting = Mutex<[String: Message?]>([:])

    func send(_ message: Message, to receiver: String, by work: @escaping @Sendable (Message) async -> Void) {
        let isBusy = waiting.withLock { waiting in
            guard waiting[receiver] == nil else {
                waiting[receiver] = .some(message)
                return true
            }
            waiting[receiver] = .some(nil)
            return false
        }
        if isBusy { return }
        Task {
            var next: Message? = message
            while let message = next {
                await work(message)
                next = waiting.withLock { waiting in
                    let newer = waiting[receiver] ?? nil
                    waiting[receiver] = newer == nil ? nil : .some(nil)
                    return newer
                }
            }
        }
    }
}

/// The ids of deliveries that could be sent again.
private final class Heard: Sendable {
    private let ids = Mutex<[String: Double]>([:])

    /// - Parameter now: seconds since 1970.
    func isNew(_ id: String, now: Double) -> Bool {
        ids.withLock { ids in
            guard ids[id] == nil else { return false }
            // Either way from now, as a sender's clock may be.
            ids = ids.filter { now - $0.value < 2 * StandardWebhook.tolerance }
            ids[id] = now
            return true
        }
    }
}

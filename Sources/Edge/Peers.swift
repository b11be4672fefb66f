import FoundationEssentials
import Logging
import Pipeline
import Upstream

/// The other replicas. A load balancer brings a webhook to one of them: that one passes it on to all, by the addresses that
/// their names have at that moment. A replica that cannot be reached finds the push by polling.
struct Peers: Sendable {
    private let addresses: [PeerAddress]
    private let sender: HTTPSender
    private let journal: Journal
    private let logger: Logger
    private let complaints = Complaints()
    /// Webhooks that are on their way at a time: of more, the newest passes ask for the same.
    private let room = Room(for: 4)
    /// What the ids of our deliveries begin with: one of the addresses is often our own.
    private let sign = UUID().uuidString.lowercased()

    /// Seconds that a replica may take.
    private static let patience = 5.0

    init(_ edge: EdgeSettings, settings: Settings, journal: Journal, logger: Logger) {
        addresses = edge.peers
        var options = settings.upstream
        // They are neighbors.
        options.proxies = ProxyRules([:])
        sender = HTTPSender(like: options, timeout: Self.patience)
        (self.journal, self.logger) = (journal, logger)
        guard !addresses.isEmpty else { return }
        for result in Result.allCases { journal.metrics.add(0, to: .relays, result.rawValue) }
    }

    private enum Result: String, CaseIterable { case accepted, failed }

    /// Whether a delivery is one that this replica sent.
    func sent(_ delivery: Delivery) -> Bool { delivery["webhook-id"]?.hasPrefix(sign) ?? false }

    /// Tells all of them, and does not wait for it.
    ///
    /// - Parameter secrets: the first of them signs.
    func tell(_ relay: Relay, _ secrets: [String]) {
        guard !addresses.isEmpty, let secret = secrets.first, let body = try? JSONEncoder().encode(relay),
            room.enter()
        else { return }
        Task {
            defer { room.leave() }
            await withDiscardingTaskGroup { group in
                for address in addresses {
                    group.addTask { await tell(address, Array(body), secret) }
                }
            }
        }
    }

    private func tell(_ peer: PeerAddress, _ body: [UInt8], _ secret: String) async {
        do {
            let hosts = try await HostAddresses.all(of: peer.host, within: Self.patience)
            await withDiscardingTaskGroup { group in
                for host in hosts {
                    group.addTask { await tell("\(host):\(peer.port)", body, secret) }
                }
            }
        } catch {
            failed("\(peer.host):\(peer.port)", "\(error)")
        }
    }

    /// - Parameter authority: an address, and a port.
    private func tell(_ authority: String, _ body: [UInt8], _ secret: String) async {
        let (id, now) = ("\(sign).\(UUID().uuidString.lowercased())", Int(Date().timeIntervalSince1970))
        guard let headers = StandardWebhook.headers(body, id: id, now: now, secret: secret) else {
            return failed(authority, "the secret begins with whsec_ and is not base64")
        }
        do {
            let answer = try await sender.post(
                body, to: "http://\(authority)/webhooks/\(Provider.peer.rawValue)", headers: headers)
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

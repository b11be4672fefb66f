import Platform
import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Pipeline

/// Turns what git servers send into passes, and answers `POST /sync`. Without a secret none of it is there.
struct WebhookHandler: Sendable {
    /// What a request is for.
    enum Endpoint: Sendable, Equatable {
        case provider(Provider)
        case sync
    }

    private let edge: EdgeSettings
    private let settings: Settings
    private let journal: Journal
    private let doorbell: Doorbell
    private let peers: Peers
    private let logger: Logger
    private let complaints = RateLimitedLog()
    private let unreadable = RateLimitedLog()
    /// For those who have shown a token of ours.
    private let bodies = ConcurrencyLimit(for: 16)
    /// For those of whom only the body tells.
    private let strangers = Anteroom(for: 16)
    private let waiting = ConcurrencyLimit(for: 64)

    /// What is made of a delivery.
    private enum Outcome: String, CaseIterable { case accepted, ignored, ping, unauthorized, malformed }

    /// Bytes of a body.
    private static let maxBody = 1_000_000

    init(_ edge: EdgeSettings, settings: Settings, journal: Journal, doorbell: Doorbell, logger: Logger) {
        (self.edge, self.settings, self.journal, self.doorbell) = (edge, settings, journal, doorbell)
        self.logger = logger
        peers = Peers(edge, settings: settings, journal: journal, logger: logger)
        guard edge.secret != nil else { return }
        // From nothing on, so that the first of a kind is an increase.
        for provider in Provider.allCases {
            for verdict in Outcome.allCases {
                journal.metrics.add(0, to: .webhooks, provider.rawValue, verdict.rawValue)
            }
        }
    }

    func endpoint(_ path: Substring) -> Endpoint? {
        guard edge.secret != nil else { return nil }
        if path == "/sync" { return .sync }
        let prefix = "/webhooks/"
        guard path.hasPrefix(prefix) else { return nil }
        return Provider(rawValue: String(path.dropFirst(prefix.count))).map { .provider($0) }
    }

    func reply(
        to request: Request, at endpoint: Endpoint, expecting: @Sendable () -> Void
    ) async -> Reply {
        let secrets: [String]
        do { secrets = try await DiskThread.perform { [edge] in try edge.secrets() } } catch {
            unreadable.tell { logger.error("webhook secret", metadata: ["cause": "\(error)"]) }
            return Reply(.serviceUnavailable, "not configured")
        }
        switch endpoint {
        case .sync: return await sync(request, secrets)
        case .provider(let provider): return await deliver(provider, request, secrets, expecting)
        }
    }

    private func deliver(
        _ provider: Provider, _ request: Request, _ secrets: [String], _ expecting: @Sendable () -> Void
    ) async -> Reply {
        func count(_ verdict: Outcome) { journal.metrics.add(to: .webhooks, provider.rawValue, verdict.rawValue) }
        func refuse() -> Reply {
            count(.unauthorized)
            complaints.tell {
                logger.warning(
                    "webhook refused",
                    metadata: ["provider": "\(provider.rawValue)", "cause": "its secret is not ours"])
            }
            return unauthorized
        }
        let now = Date().timeIntervalSince1970
        guard provider.proof.isPromising(request.headers, secrets: secrets, now: now) else { return refuse() }
        let body: [UInt8]
        switch await self.body(of: request, isKnown: provider.proof.showsToken(request.headers), expecting) {
        case .success(let bytes): body = bytes
        case .failure(let refusal): return refusal.reply
        }
        let delivery = WebhookRequest(fields: request.headers, body: body)
        guard provider.proof.accepts(delivery, secrets: secrets, now: now) else { return refuse() }
        switch provider.event(of: delivery) {
        case .malformed:
            count(.malformed)
            return Reply(.badRequest, "malformed")
        case .ping:
            count(.ping)
            return Reply(.ok, "pong")
        case .other:
            count(.ignored)
            return Reply(.ok, "ignored")
        case .pushes(let all):
            let (advertised, served) = (journal.advertised?.ref, journal.live?.status.published?.commit)
            guard let push = all.first(where: { settings.concerns($0, advertised: advertised, served: served) }) else {
                count(.ignored)
                return Reply(.ok, "ignored")
            }
            let relay = Relay(commit: push.ref.hasPrefix("refs/heads/") ? push.commit : nil)
            peers.tell(relay, secrets)
            return accept(relay, count)
        case .anything:
            peers.tell(Relay(), secrets)
            return accept(Relay(), count)
        case .relay(let relay):
            guard peers.isNews(delivery, now: now) else {
                count(.ignored)
                return Reply(.ok, "known")
            }
            return accept(relay, count)
        }
    }

    private struct Refusal: Error { let reply: Reply }

    /// All of it, when it is not too large, comes in time, and there is room.
    private func body(
        of request: Request, isKnown: Bool, _ expecting: @Sendable () -> Void
    ) async -> Result<[UInt8], Refusal> {
        let tooLarge = Refusal(reply: Reply(.contentTooLarge, "at most \(Self.maxBody) bytes"))
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.maxBody {
            return .failure(tooLarge)
        }
        if isKnown, !bodies.enter() { return .failure(Refusal(reply: busy)) }
        defer { if isKnown { bodies.leave() } }
        expecting()
        @Sendable func collect() async throws -> [UInt8] {
            try await withDeadline(.seconds(EdgeServer.patience), throwing: CancellationError()) {
                Array(buffer: try await request.body.collect(upTo: Self.maxBody))
            }
        }
        do {
            return .success(try await isKnown ? collect() : strangers.hosting(collect))
        } catch is NIOTooManyBytesError {
            return .failure(tooLarge)
        } catch {
            return .failure(Refusal(reply: Reply(.requestTimeout, "the body did not come in time")))
        }
    }

    private var busy: Reply {
        var reply = Reply(.serviceUnavailable, "busy")
        reply.fields[.retryAfter] = "1"
        return reply
    }

    private func accept(_ relay: Relay, _ count: (Outcome) -> Void) -> Reply {
        count(.accepted)
        doorbell.ring(.webhook, expecting: relay.commit)
        return Reply(.accepted, "accepted")
    }

    /// Waits for a pass that began later than this was asked.
    private func sync(_ request: Request, _ secrets: [String]) async -> Reply {
        guard WebhookProof.bearer.accepts(WebhookRequest(fields: request.headers, body: []), secrets: secrets, now: 0)
        else {
            return unauthorized
        }
        guard waiting.enter() else { return busy }
        defer { waiting.leave() }
        let number = journal.lastBegun
        doorbell.ring(.request)
        guard let attempt = await journal.pass(after: number), let text = json(attempt) else {
            return Reply(.serviceUnavailable, "stopping")
        }
        return Reply(attempt.result == .failed ? .badGateway : .ok, text, as: Reply.json)
    }

    private var unauthorized: Reply {
        var reply = Reply(.unauthorized, "unauthorized")
        reply.fields[.wwwAuthenticate] = "Bearer"
        return reply
    }
}

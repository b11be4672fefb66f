import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Logging
import Pipeline
import Platform

/// Which answer a request gets. A path is taken byte by byte: nothing is decoded, so nothing can be meant by another spelling.
struct Router: Sendable {
    private let edge: EdgeSettings
    private let settings: Settings
    private let journal: Journal
    private let webhooks: WebhookHandler

    init(_ edge: EdgeSettings, settings: Settings, journal: Journal, doorbell: Doorbell, logger: Logger) {
        (self.edge, self.settings, self.journal) = (edge, settings, journal)
        webhooks = WebhookHandler(edge, settings: settings, journal: journal, doorbell: doorbell, logger: logger)
    }

    /// - Parameter expecting: called before a body is waited for.
    func reply(to request: Request, expecting: @Sendable () -> Void) async -> Reply {
        let target = request.head.path ?? ""
        let path = target.prefix { $0 != "?" }
        let query = Query(target.dropFirst(path.count).dropFirst())
        if let endpoint = webhooks.endpoint(path) {
            guard request.method == .post else { return refusal("POST") }
            return await webhooks.reply(to: request, at: endpoint, expecting: expecting)
        }
        guard let answer = page(path, query, request.headers) else { return Reply(.notFound, "not found") }
        guard request.method == .get || request.method == .head else { return refusal("GET, HEAD") }
        return await answer()
    }

    private func page(_ path: Substring, _ query: Query, _ fields: HTTPFields) -> (() async -> Reply)? {
        switch path {
        case "/livez": { livez() }
        case "/readyz": { await readyz(query["max-age"]) }
        case "/metrics": { metrics(accepting: fields[.accept] ?? "") }
        case "/status": { status() }
        case "/": { people() }
        default: nil
        }
    }

    private func refusal(_ allowed: String) -> Reply {
        var reply = Reply(.methodNotAllowed, "only \(allowed) here")
        reply.fields[.allow] = allowed
        return reply
    }

    /// The loop's heartbeat: a dead remote does not stop it.
    private func livez() -> Reply {
        journal.complaint(deadline: settings.deadline).map { Reply(.serviceUnavailable, $0) } ?? Reply(.ok, "ok")
    }

    /// Whether something is served, and, where that is asked for, whether it is known to be new enough.
    private func readyz(_ limit: String?) async -> Reply {
        guard await journal.isServing() else { return Reply(.serviceUnavailable, "nothing is published yet") }
        guard let limit else { return Reply(.ok, "ok") }
        guard let maxAge = SettingValue.duration(limit) else {
            return Reply(.badRequest, "max-age takes \(SettingValue.durations)")
        }
        guard let age = journal.age else { return Reply(.serviceUnavailable, "no pass has succeeded yet") }
        guard age <= maxAge.inSeconds else {
            return Reply(.serviceUnavailable, "the last pass that succeeded ended \(Int(age)) s ago")
        }
        return Reply(.ok, "ok")
    }

    private func metrics(accepting types: String) -> Reply {
        journal.measureRunning()
        let isOpen = AcceptedTypes(types).prefers("application/openmetrics-text", to: "text/plain")
        let format = isOpen ? Metrics.Format.openMetrics : .prometheus
        return Reply(.ok, journal.metrics.text(format), as: format.rawValue)
    }

    private func status() -> Reply {
        guard let live = journal.live, let text = json(live) else {
            return Reply(.serviceUnavailable, "{}\n", as: Reply.json)
        }
        return Reply(.ok, text, as: Reply.json)
    }

    private func people() -> Reply {
        let page = StatusPage(live: journal.live, now: Date().timeIntervalSince1970)
        var reply = Reply(.ok, page.html, as: Reply.html)
        reply.fields[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        return reply
    }
}

/// As `status.json` is written.
func json(_ value: some Encodable) -> String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) + "\n" }
}

/// What follows a question mark.
private struct Query {
    private let pairs: [(name: Substring, value: Substring)]

    init(_ text: Substring) {
        pairs = text.parts(at: "&", leavingOutEmpty: true).map { pair in
            let name = pair.prefix { $0 != "=" }
            return (name, pair.dropFirst(name.count).dropFirst())
        }
    }

    subscript(name: String) -> String? { pairs.first { $0.name == name }.map { String($0.value) } }
}

import FoundationEssentials
import HTTPTypes
import Pipeline
import Platform

/// A request as it came.
struct WebhookRequest: Sendable {
    let fields: HTTPFields
    let body: [UInt8]

    subscript(name: String) -> String? { HTTPField.Name(name).flatMap { fields[$0] } }
}

/// Who sends webhooks.
enum Provider: String, Sendable, CaseIterable {
    case github, gitlab, gitea, forgejo, bitbucket, generic
    /// Another replica of this one.
    case peer

    /// How a delivery of it shows who sends.
    var proof: WebhookProof {
        switch self {
        case .github: .signature(in: ["X-Hub-Signature-256"], prefix: "sha256=")
        case .bitbucket: .signature(in: ["X-Hub-Signature"], prefix: "sha256=")
        case .gitea: .signature(in: ["X-Gitea-Signature"])
        case .forgejo: .signature(in: ["X-Forgejo-Signature", "X-Gitea-Signature"])
        case .gitlab: .standardWebhook(orToken: "X-Gitlab-Token")
        case .peer: .standardWebhook()
        case .generic: .bearer
        }
    }
}

/// How a delivery shows that its sender knows a secret.
enum WebhookProof {
    /// HMAC-SHA256 of the body, in hexadecimal behind a prefix, in the first of these fields that is there.
    case signature(in: [String], prefix: String = "")
    /// Standard Webhooks 1.0; without its fields, the secret itself in another one.
    case standardWebhook(orToken: String? = nil)
    /// The secret itself (RFC 6750, section 2.1).
    case bearer

    /// Whether a delivery was sent by somebody who knows one of the secrets. How long that takes tells nothing of them.
    func accepts(_ delivery: WebhookRequest, secrets: [String], now: Double) -> Bool {
        switch self {
        case .signature(let names, let prefix):
            return hasSignature(names.lazy.compactMap { delivery[$0] }.first, prefix: prefix, delivery.body, secrets)
        case .standardWebhook(let token?) where delivery["webhook-signature"] == nil:
            return isOne(of: secrets, delivery[token])
        case .standardWebhook: return isSigned(delivery, secrets, now)
        case .bearer:
            let parts = (delivery["Authorization"] ?? "").parts(at: " ", atMost: 2)
            return parts.count == 2 && parts[0].lowercased() == "bearer" && isOne(of: secrets, String(parts[1]))
        }
    }

    /// Whether all is known of who sends before the body has come.
    func showsToken(_ fields: HTTPFields) -> Bool {
        switch self {
        case .signature: false
        case .standardWebhook(let token):
            token != nil && WebhookRequest(fields: fields, body: [])["webhook-signature"] == nil
        case .bearer: true
        }
    }

    /// Whether the body is worth waiting for: where a token is sent, all is known; elsewhere there must be a signature.
    func isPromising(_ fields: HTTPFields, secrets: [String], now: Double) -> Bool {
        let head = WebhookRequest(fields: fields, body: [])
        if showsToken(fields) { return accepts(head, secrets: secrets, now: now) }
        guard case .signature(let names, let prefix) = self else { return head["webhook-signature"] != nil }
        return names.contains { name in
            head[name].map { $0.hasPrefix(prefix) && $0.utf8.count == prefix.utf8.count + 64 } ?? false
        }
    }

    /// HMAC-SHA256 of the body, in hexadecimal.
    private func hasSignature(_ value: String?, prefix: String, _ body: [UInt8], _ secrets: [String]) -> Bool {
        guard let value, value.hasPrefix(prefix), let code = bytes(hex: value.dropFirst(prefix.count)) else {
            return false
        }
        return any(secrets) { secret in
            MessageCode(of: body, key: secret.utf8).equals(code)
        }
    }

    /// Standard Webhooks 1.0, which GitLab follows for its signing tokens: an id, a time and the body are signed, and an old
    /// time is a delivery that somebody has kept.
    private func isSigned(_ delivery: WebhookRequest, _ secrets: [String], _ now: Double) -> Bool {
        guard let id = delivery["webhook-id"], let time = delivery["webhook-timestamp"], let seconds = Double(time),
            abs(now - seconds) <= StandardWebhook.tolerance
        else { return false }
        let entries = (delivery["webhook-signature"] ?? "").parts(at: " ", atMost: StandardWebhook.maxCodes + 1)
        let codes = entries.prefix(StandardWebhook.maxCodes).compactMap { entry in
            entry.hasPrefix("v1,") ? Data(base64Encoded: String(entry.dropFirst(3))) : nil
        }
        return any(secrets) { secret in
            guard let right = StandardWebhook.code(delivery.body, id: id, time: time, secret: secret) else {
                return false
            }
            return any(codes) { right.equals($0) }
        }
    }

    private func isOne(of secrets: [String], _ value: String?) -> Bool {
        guard let value else { return false }
        // Of codes under one key, so that not even the length is told.
        let shown = MessageCode(of: value.utf8.array, key: [])
        return any(secrets) { MessageCode(of: $0.utf8.array, key: []) == shown }
    }

    /// Looks at all of them, whatever it finds.
    private func any<Element>(_ all: [Element], _ isRight: (Element) -> Bool) -> Bool {
        all.reduce(false) { found, element in isRight(element) || found }
    }
}

extension String.UTF8View {
    fileprivate var array: [UInt8] { Array(self) }
}

private func bytes(hex text: Substring) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else {
            return nil
        }
        bytes.append(byte)
    }
    return bytes
}

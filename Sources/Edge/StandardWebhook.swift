import FoundationEssentials
import Platform

/// Standard Webhooks 1.0: an id, a time and the body are signed, so that nobody can send a delivery again much later.
enum StandardWebhook {
    /// The code of a delivery.
    ///
    /// - Parameters:
    ///   - time: seconds since 1970, as they are sent.
    ///   - secret: its bytes are the key, or, after `whsec_`, what stands there in base64.
    /// - Returns: `nil` when that is not base64, or nothing.
    static func code(
        _ body: [UInt8], id: String, time: String, secret: String
    ) -> MessageCode? {
        let key = secret.hasPrefix("whsec_") ? Data(base64Encoded: String(secret.dropFirst(6))) : Data(secret.utf8)
        // An empty key is everybody's.
        return key.flatMap { $0.isEmpty ? nil : $0 }.map {
            MessageCode(of: Array("\(id).\(time).".utf8) + body, key: $0)
        }
    }

    /// What a delivery is sent with: signed with each of the secrets, so that whoever knows one can tell; without any, not signed.
    ///
    /// - Returns: `nil` when one of them is no key.
    static func headers(
        _ body: [UInt8], id: String, now: Int, secrets: [String]
    ) -> [(name: String, value: String)]? {
        let codes = secrets.prefix(maxCodes).map { code(body, id: id, time: "\(now)", secret: $0) }
        guard !codes.contains(nil) else { return nil }
        let headers = [("Content-Type", "application/json"), ("webhook-id", id), ("webhook-timestamp", "\(now)")]
        let signatures = codes.compactMap { $0.map { "v1,\(Data($0.bytes).base64EncodedString())" } }
        return signatures.isEmpty ? headers : headers + [("webhook-signature", signatures.joined(separator: " "))]
    }

    /// Seconds for which a delivery is good.
    static let tolerance = 300.0
    /// One for each key that may be good.
    static let maxCodes = 8
}

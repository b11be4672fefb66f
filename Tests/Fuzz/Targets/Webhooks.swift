import FoundationEssentials
import HTTPTypes
import Pipeline

/// Feeds the readers of webhooks: header fields, a line each, an empty line, a body. Nobody is let in who does not know the secret.
package func fuzzWebhooks(_ input: [UInt8]) {
    var (fields, rest) = (HTTPFields(), input[...])
    while let end = rest.firstIndex(of: 10), end > rest.startIndex {
        let line = rest[..<end]
        rest = rest[(end + 1)...]
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
            let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
        else { continue }
        fields[name] = String(decoding: line[(colon + 1)...].drop { $0 == 32 }, as: UTF8.self)
    }
    let delivery = WebhookRequest(fields: fields, body: Array(rest.dropFirst()))
    for provider in Provider.allCases {
        _ = provider.event(of: delivery)
        let secrets = ["a secret that nobody guesses 6f1e9a", "whsec_bm9ib2R5IGd1ZXNzZXM="]
        let isPromising = provider.proof.isPromising(fields, secrets: secrets, now: 1_700_000_000)
        let isIn = provider.proof.accepts(delivery, secrets: secrets, now: 1_700_000_000)
        precondition(!isIn || isPromising)
        precondition(!isIn)
    }
}

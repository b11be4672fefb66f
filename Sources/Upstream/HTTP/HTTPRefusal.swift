import FoundationEssentials
import NIOCore
import NIOHTTP1
import Platform

/// An answer that is no success: its status, and what the server says for itself.
struct HTTPRefusal {
    let status: Int
    /// The first line of a text that came with it; never of a page for people.
    let words: String?
    /// For how many seconds it asks to be left alone.
    let retryAfter: Duration?

    /// A sentence needs no more.
    private static let maxBytes = 4_096
    private static let maxShown = 300
    /// Seconds.
    private static let patience = Duration.seconds(2)

    /// - Parameter secrets: what was sent along. Words that hold one of them are not repeated.
    init(_ response: HTTPResponse, hiding secrets: [String]) async {
        status = Int(response.status.code)
        retryAfter = response.headers.first(name: "Retry-After").flatMap { RetryAfter.seconds($0) }
        let type = (response.headers.first(name: "Content-Type") ?? "").utf8.lowercasedASCII.asText
        let isJSON = [LFSBatch.mediaType, "application/json"].contains { type.hasPrefix($0) }
        let isText = type.hasPrefix("text/plain") || isJSON
        // What breaks off, or never ends, says what it said.
        let bytes =
            isText ? await response.body.beginning(atMost: Self.maxBytes, within: Self.patience).bytes : []
        let line = isJSON ? Self.message(bytes) : Self.firstLine(bytes)
        words = line.flatMap { line in
            let hides = secrets.contains { !$0.isEmpty && line.utf8.firstRange(of: $0.utf8) != nil }
            return hides ? nil : line.printable(limit: Self.maxShown)
        }
    }

    private static func firstLine(_ bytes: [UInt8]) -> String? {
        let lines = bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        let words = lines.lazy.map { $0.trimmingSpaces }.first { !$0.isEmpty }
        // A page, whatever it is said to be.
        guard let words, words.first != UInt8(ascii: "<") else { return nil }
        return words.asText
    }

    /// What forges and their APIs answer with.
    private static func message(_ bytes: [UInt8]) -> String? {
        struct Answer: Decodable { let message: String }
        return (try? JSONDecoder().decode(Answer.self, from: Data(bytes))).flatMap { firstLine(Array($0.message.utf8)) }
    }

    /// `text` with the words behind it.
    func saying(_ text: String) -> String { words.map { "\(text): \($0)" } ?? text }
}

import Git
import Platform

/// What a server sent is not what git's protocol has at that place.
enum ProtocolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Both for people: what should have come, and what came.
    case unexpected(expected: String, found: String)
    /// The server says itself why it gives nothing (`ERR`, or band 3).
    case refused(String)
    /// More of something than any real server sends.
    case tooMuch(String)
    /// The answer is not whole.
    case ended

    /// What was sent is escaped and cut.
    init(expected: String, found bytes: some Collection<UInt8>) {
        self = .unexpected(
            expected: expected,
            found: "\"" + String(decoding: bytes.prefix(80), as: UTF8.self).printable(limit: 80) + "\"")
    }

    var description: String {
        switch self {
        case .unexpected(let expected, let found): "expected \(expected), found \(found)"
        case .refused(let reason): reason.printable()
        case .tooMuch(let what): "too many \(what)"
        case .ended: "the answer ended before it was whole"
        }
    }
}

import FoundationEssentials
import NIOCore
import NIOHTTP1
import Platform

/// A request over HTTP/1.1. Its body, where it has one, is in memory.
struct HTTPRequest: Sendable {
    /// Of http or https, without a login.
    let url: String
    var method = HTTPMethod.GET
    var headers = HTTPHeaders()
    var body: [UInt8]?

    init(url: String) { self.url = url }

    /// RFC 7617, in UTF-8.
    mutating func logIn(_ user: String, _ password: String) {
        headers.replaceOrAdd(name: "Authorization", value: HTTPLogin.basic(user, password))
    }

    /// What is asked for of the origin (RFC 9112, section 3.2.1), what no address may hold escaped.
    var target: String {
        let rest = url.utf8.firstRange(of: "://".utf8).map { url.utf8[$0.upperBound...] } ?? url.utf8[...]
        let path = rest.drop { !"/?#".utf8.contains($0) }.prefix { $0 != UInt8(ascii: "#") }
        let escaped = path.map { byte in
            byte > 32 && byte < 127 && !"\"<>\\^`{|}".utf8.contains(byte) ? [byte] : HTTPLogin.escape(byte)
        }
        return (path.first == UInt8(ascii: "/") ? "" : "/") + Array(escaped.joined()).asText
    }

    /// The head as it is sent to an origin.
    func head(for origin: HTTPOrigin) -> HTTPRequestHead {
        let isDefault = origin.port == (origin.scheme == "https" ? 443 : 80)
        let authority = isDefault ? origin.host : origin.authority
        var head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
        head.headers.replaceOrAdd(name: "Host", value: authority)
        if let body { head.headers.replaceOrAdd(name: "Content-Length", value: "\(body.count)") }
        return head
    }
}

/// How a login is written in a header.
enum HTTPLogin {
    /// RFC 7617.
    static func basic(_ user: String, _ password: String) -> String { "Basic " + encoded(user, password) }

    static func encoded(_ user: String, _ password: String) -> String {
        Data("\(user):\(password)".utf8).base64EncodedString()
    }

    /// RFC 3986, section 2.1.
    fileprivate static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}

/// An answer whose head has come.
struct HTTPResponse: Sendable {
    let status: HTTPResponseStatus
    let headers: HTTPHeaders
    let body: HTTPBody
}

/// The body of an answer, to be read once. Who lets go of it before its end closes the connection.
final class HTTPBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    private let connection: HTTPConnection
    private let exchange: Int

    /// - Parameter exchange: the connection's number of the request that this answers.
    init(_ connection: HTTPConnection, _ exchange: Int) { (self.connection, self.exchange) = (connection, exchange) }

    deinit { connection.leave(exchange) }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let body: HTTPBody
        /// - Throws: `HTTPFault`, what NIO and TLS throw, `CancellationError`.
        func next() async throws -> ByteBuffer? { try await body.connection.next(of: body.exchange) }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }
}

/// What went wrong with a connection, beside what NIO and TLS throw.
enum HTTPFault: Error, Equatable {
    /// The other side closed it before the end of an answer.
    case closed
    /// It was silent for too long.
    case silent
    /// The proxy does not connect us.
    case proxy(String)
    /// What it sent is not HTTP, or something that nobody asked for.
    case unexpected(String)
}

import AsyncHTTPClient
import Crypto
import CryptoExtras
import FoundationEssentials
import Git
import Glibc
import NIOCore
import NIOHTTP1
import Platform

/// How to log in as an installation of a GitHub App, which needs no person's account.
public struct GitHubAppOptions: Sendable, Equatable {
    /// The App's id, or its client id.
    public var app: String
    /// The number of its installation.
    public var installation: String
    /// Its private key, in PEM.
    public var key: CredentialSource.Place
    /// Where its API is; for GitHub Enterprise Server `https://HOST/api/v3`.
    public var api: String

    /// Makes options.
    public init(app: String, installation: String, key: CredentialSource.Place, api: String) {
        self.app = app
        self.installation = installation
        self.key = key
        self.api = api
    }
}

/// Trades the App's key for a token that lives an hour, and another before its end (GitHub's documentation, "Generating an
/// installation access token for a GitHub App").
actor GitHubApp {
    private let options: GitHubAppOptions
    private var token: Token?
    /// A pass that begins with a token must be able to end with it.
    private static let margin: Double = 300

    private struct Token {
        let text: String
        let end: Double
    }

    private struct Answer: Decodable {
        let token: String
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let expires_at: String
    }

    init(_ options: GitHubAppOptions) { self.options = options }

    /// The login of the moment.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - ask: makes a request of the API.
    func credential(
        now: Double = Double(time(nil)), _ ask: @Sendable (HTTPClientRequest) async throws -> HTTPClientResponse
    ) async throws -> CredentialSource.Pair {
        if let token, token.end - now > Self.margin { return (CredentialSource.tokenUser, token.text) }
        var request = HTTPClientRequest(
            url: "\(options.api)/app/installations/\(options.installation.urlSegment)/access_tokens")
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(try identity(now: now))")
        request.headers.add(name: "Accept", value: "application/vnd.github+json")
        request.headers.add(name: "X-GitHub-Api-Version", value: "2022-11-28")
        let response = try await ask(request)
        guard response.status == .created else {
            throw UpstreamError.appRefused(api: options.api, status: Int(response.status.code))
        }
        let body = try await response.body.collect(upTo: 1 << 16)
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView)),
            let end = try? Date(answer.expires_at, strategy: .iso8601)
        else { throw UpstreamError.serverFailed(address: options.api, reason: "its answer holds no token") }
        token = Token(text: answer.token, end: end.timeIntervalSince1970)
        return (CredentialSource.tokenUser, answer.token)
    }

    /// The server refused it: the next pass asks for another.
    func forget() { token = nil }

    /// A JSON Web Token that shows that we have the key (RFC 7519, RS256). Its beginning lies back for clocks that differ.
    private func identity(now: Double) throws -> String {
        let header = Data(#"{"alg":"RS256","typ":"JWT"}"#.utf8)
        let claims = Data(#"{"iat":\#(Int(now) - 60),"exp":\#(Int(now) + 540),"iss":"\#(options.app)"}"#.utf8)
        let signed = header.base64URL + "." + claims.base64URL
        guard let key = try? _RSA.Signing.PrivateKey(pemRepresentation: options.key.read().reveal()),
            let signature = try? key.signature(for: Data(signed.utf8), padding: .insecurePKCS1v1_5)
        else { throw UpstreamError.appKeyUnusable }
        return signed + "." + signature.rawRepresentation.base64URL
    }
}

extension Data {
    /// RFC 4648, section 5, without padding.
    fileprivate var base64URL: String {
        base64EncodedString().replacing { byte in
            switch byte {
            case UInt8(ascii: "+"): "-"
            case UInt8(ascii: "/"): "_"
            case UInt8(ascii: "="): ""
            default: nil
            }
        }
    }
}

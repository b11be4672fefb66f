import FoundationEssentials
import Git
import Glibc
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

    /// Whether an API may be sent what shows that we have the key: over https, or on this machine.
    public static func accepts(api: String) -> Bool {
        guard let url = try? RemoteURL(api + "/x"), url.password == nil else { return false }
        let isHere = ["127.0.0.1", "::1", "localhost"].contains(url.endpoint(defaultPort: 0).host)
        return url.transport == .https || url.transport == .http && isHere
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
    ///   - sender: what reaches the API.
    func credential(now: Double = Double(time(nil)), by sender: OneShotHTTPClient) async throws -> CredentialSource.Pair
    {
        if let token, token.end - now > Self.margin { return (CredentialSource.tokenUser, token.text) }
        let answer = try await sender.post(
            [], to: "\(options.api)/app/installations/\(options.installation.urlSegment)/access_tokens",
            headers: [
                ("Authorization", "Bearer \(try await identity(now: now))"), ("Accept", "application/vnd.github+json"),
                ("X-GitHub-Api-Version", "2022-11-28"),
            ], readsBody: true)
        guard answer.status == 201 else { throw refusal(answer) }
        guard let grant = try? JSONDecoder().decode(Answer.self, from: Data(answer.body)),
            let end = try? Date(grant.expires_at, strategy: .iso8601)
        else { throw UpstreamError.serverFailed(address: options.api, reason: "its answer holds no token") }
        token = Token(text: grant.token, end: end.timeIntervalSince1970)
        return (CredentialSource.tokenUser, grant.token)
    }

    /// Only what says something of the App is its fault: an API that is down or busy may well give a token the next time.
    private func refusal(_ answer: OneShotHTTPClient.Answer) -> UpstreamError {
        if [403, 429, 503].contains(answer.status), let time = answer.retryAfter {
            return .busy(address: options.api, status: answer.status, retryAfter: time, says: answer.words)
        }
        switch answer.status {
        case 400, 401, 403, 404, 410, 422:
            return .appRefused(api: options.api, status: answer.status, says: answer.words)
        case 429, 503: return .busy(address: options.api, status: answer.status, retryAfter: nil, says: answer.words)
        default:
            return .serverFailed(
                address: options.api, reason: "status \(answer.status)" + (answer.words.map { ": \($0)" } ?? ""))
        }
    }

    /// The server refused it: the next pass asks for another.
    func forget() { token = nil }

    /// A JSON Web Token that shows that we have the key (RFC 7519, RS256). Its beginning lies back for clocks that differ.
    private func identity(now: Double) async throws -> String {
        let header = Data(#"{"alg":"RS256","typ":"JWT"}"#.utf8)
        let claims = Data(#"{"iat":\#(Int(now) - 60),"exp":\#(Int(now) + 540),"iss":"\#(options.app)"}"#.utf8)
        let signed = header.base64URL + "." + claims.base64URL
        let text = try? await DiskThread.perform { [options] in try options.key.read() }
        guard let text, let key = SigningKey(pem: text.reveal()),
            let signature = key.sign(Array(signed.utf8))
        else { throw UpstreamError.appKeyUnusable }
        return signed + "." + Data(signature).base64URL
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

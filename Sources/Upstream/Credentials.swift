import FoundationEssentials
import Git

/// Where the user and the password for a remote come from. Files are read again at every pass, so that a rotated secret
/// needs no restart.
public struct CredentialSource: Sendable, Equatable {
    /// A secret, or the file that holds it.
    public enum Place: Sendable, Equatable {
        case value(Secret)
        /// The bytes of the file, without white space at its end.
        case file(String)

        func read() throws -> Secret {
            switch self {
            case .value(let secret): return secret
            case .file(let path):
                guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                    throw UpstreamError.secretUnreadable(path: path)
                }
                return Secret(String(text.reversed().drop { $0.isWhitespace }.reversed()))
            }
        }
    }

    /// The name of the user; `nil` takes the one of the address.
    public var user: String?
    /// The password or token.
    public var password: Place?
    /// What a server that only looks at a token may be told as the user.
    static let tokenUser = "x-access-token"

    /// Makes a source; without a password the remote is asked anonymously.
    public init(user: String? = nil, password: Place? = nil) {
        self.user = user
        self.password = password
    }

    /// What is sent.
    typealias Pair = (user: String, password: String)

    /// The pair to send to this address; `nil` when there is none.
    func credential(for url: RemoteURL) throws -> Pair? {
        guard let secret = try password?.read() ?? url.password else { return nil }
        return (user ?? url.user ?? Self.tokenUser, secret.reveal())
    }

    /// Whether there is one for this address.
    func isSet(for url: RemoteURL) -> Bool { password != nil || url.password != nil }
}

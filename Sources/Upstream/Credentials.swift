public import Platform
import Git

/// Where the user and the password for a remote come from. Files are read again at every pass, so that a rotated secret
/// needs no restart.
public struct CredentialSource: Sendable, Equatable {
    /// A secret, or the file that holds it.
    public enum Place: Sendable, Equatable {
        case value(Secret)
        /// The bytes of the file, without white space at its end.
        case file(String)

        /// The secret as it is now; for a thread that may wait for a disk.
        ///
        /// - Throws: `UpstreamError` when the file cannot be read.
        public func read() throws -> Secret {
            switch self {
            case .value(let secret): return secret
            case .file(let path):
                guard let text = WholeFile.text(path) else {
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

    /// A file of logins by host (git-credential-store(1)); must be readable when it is named.
    public var file: String?
    /// A file that curl(1) and git look into, too, when it is there (NETRC, ~/.netrc).
    public var netrc: String?

    /// Makes a source; without a password the remote is asked anonymously.
    public init(user: String? = nil, password: Place? = nil) {
        self.user = user
        self.password = password
    }

    /// Whether a login for all hosts will do: for the followed repository it does.
    private var takesDefault = true

    /// Leaves what is listed for a host by its name.
    mutating func forgetOwn() { (user, password, takesDefault) = (nil, nil, false) }

    /// What is sent.
    typealias Pair = (user: String, password: String)

    /// The pair for a repository; `nil` when there is none. What is given for no host in particular is for this one.
    func credential(for url: RemoteURL) throws -> Pair? {
        if let secret = try password?.read() ?? url.password {
            return (user ?? url.user ?? Self.tokenUser, secret.reveal())
        }
        return try listed(for: url.address, user: user ?? url.user, isHome: takesDefault)
    }

    /// The pair for another place that the repository's server leads to: only one that is listed for it.
    ///
    /// - Parameter isHome: whether it is the repository's own place, for which a login for all hosts will do.
    func listed(for address: String, user: String?, isHome: Bool) throws -> Pair? {
        if let file {
            guard let text = WholeFile.text(file) else {
                throw UpstreamError.secretUnreadable(path: file)
            }
            if let pair = CredentialStore(text).credential(for: address, user: user) { return pair }
        }
        guard let netrc, let text = WholeFile.text(netrc) else { return nil }
        return Netrc(text).credential(for: address, user: user, isDefault: isHome)
    }
}

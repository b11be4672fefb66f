import Platform

/// How the system's `ssh` is to be used.
public struct SSHOptions: Sendable, Equatable {
    /// The private key; `nil` leaves it to ssh: its agent, and its own files.
    public var key: CredentialSource.Place?
    /// A file that names further keys, each with the beginning of the addresses that it is for (`SSHKeyList`).
    public var keys: String?
    /// Whether the key is only for addresses that no key is listed for: a server that takes one key is shown no other.
    public var prefersListedKeys = false
    /// Whom to believe; `nil` leaves it to ssh's own files.
    public var knownHosts: CredentialSource.Place?
    /// The home folder of whoever started us, from the environment.
    public var home: String?
    /// The socket of their agent.
    public var agentSocket: String?
    /// Where programs are looked for.
    public var searchPath: String

    /// Makes options.
    public init(
        key: CredentialSource.Place? = nil, keys: String? = nil, knownHosts: CredentialSource.Place? = nil,
        home: String? = nil,
        agentSocket: String? = nil, searchPath: String = "/usr/local/bin:/usr/bin:/bin"
    ) {
        self.key = key
        self.keys = keys
        self.knownHosts = knownHosts
        self.home = home
        self.agentSocket = agentSocket
        self.searchPath = searchPath
    }
}

/// Where ssh is to go.
struct SSHTarget: Sendable {
    let user: String?
    let host: String
    let port: Int?
    let path: String

    init(_ url: RemoteURL) {
        let (host, port) = url.endpoint(defaultPort: 0)
        user = url.user
        self.host = host
        self.port = port == 0 ? nil : port
        path = url.parts.path
    }

    /// For a shell at the other end.
    var command: String { "git-upload-pack \(path.shellQuoted)" }

    /// Nobody is there to answer a question, nothing is forwarded, and a host must be known.
    private static let always = [
        "-T", "-x", "-a", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ClearAllForwardings=yes",
        "-o", "PermitLocalCommand=no", "-o", "ControlMaster=no", "-o", "SendEnv=GIT_PROTOCOL",
    ]

    /// What ssh is started with.
    func arguments(_ files: SSHFiles, timeout: Duration, command: String) -> [String] {
        var arguments = Self.always + files.arguments
        arguments += ["-o", "ConnectTimeout=\(max(1, Int(timeout.inSeconds.rounded(.up))))"]
        if let user { arguments += ["-l", user] }
        if let port { arguments += ["-p", "\(port)"] }
        return arguments + ["--", host, command]
    }

    /// As known_hosts(5) has it.
    var knownHostsName: String { port == nil || port == 22 ? host : "[\(host)]:\(port!)" }
}

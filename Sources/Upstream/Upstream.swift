public import Git

/// A remote repository. Everything about it but the two questions that a pass asks stays in this room.
public protocol Upstream: Sendable {
    /// What is followed where nobody has to be asked: a commit is what it is.
    var fixed: Advertisement? { get }

    /// Tells when something there may have changed, where that can be known at no cost.
    ///
    /// - Returns: what tells, until it is let go; `nil` where nothing can.
    func watch(_ changed: @escaping @Sendable () -> Void) -> (any Watch)?

    /// Lends the remote for the questions of one pass, over one connection where it is reached by such.
    ///
    /// Errors of the work pass through, and must: a transport knows more about some of them. All ends at once when the task
    /// is cancelled, and by itself when the remote is silent.
    ///
    /// - Throws: `UpstreamError`, `CancellationError`, and what the work throws.
    func connected<Value: Sendable>(_ work: (any Remote) async throws -> Value) async throws -> Value
}

/// What tells of changes until it is let go.
public protocol Watch: AnyObject, Sendable {
    /// Whether another one is needed.
    var isOver: Bool { get }
}

/// The two questions that a pass asks.
public protocol Remote {
    /// Which commit does the remote's reference name now?
    ///
    /// - Throws: `UpstreamError`, `CancellationError`.
    func discover() async throws -> Advertisement

    /// What it can do, for people; `nil` where there is nothing to tell.
    var abilities: String? { get }

    /// Brings the objects of an advertised commit into the store. What the store has is not asked for again.
    ///
    /// - Parameter progress: told how far it is; what it throws ends the fetch.
    ///
    /// - Throws: `UpstreamError`; `GitError` for the store, and for what came and is larger than it may be; `CancellationError`. The
    ///   store is as it was then. Nothing is remembered of what came: that is for who has proven it (`noteFetched`).
    func fetch(_ request: FetchRequest, progress: @escaping @Sendable (TransferProgress) throws -> Void) async throws
}

extension Remote {
    /// Nothing to tell.
    public var abilities: String? { nil }
}

extension Upstream {
    /// Nothing: the remote has to be asked.
    public var fixed: Advertisement? { nil }
    /// Nothing tells.
    public func watch(_ changed: @escaping @Sendable () -> Void) -> (any Watch)? { nil }
}

/// What a remote says of the reference that is followed.
public struct Advertisement: Sendable, Equatable {
    /// The full name, or the commit id where one is followed.
    public let ref: ReferenceName
    /// The commit that it names, tags peeled where the remote tells what they peel to.
    public let commit: ObjectID
    /// The annotated tag that the reference names, where it does.
    public let tag: ObjectID?
    /// What a person should know.
    public let warnings: [String]

    /// Makes an advertisement.
    public init(ref: ReferenceName, commit: ObjectID, tag: ObjectID? = nil, warnings: [String] = []) {
        self.tag = tag
        self.ref = ref
        self.commit = commit
        self.warnings = warnings
    }
}

/// What is wanted of a remote.
public struct FetchRequest: Sendable {
    /// What was discovered.
    public let advertisement: Advertisement
    /// Where the objects go.
    public let store: Store
    /// How many commits of history; 0 is all of it.
    public let depth: Int
    /// When set, the fetch is refused unless the commit descends from this one.
    public let mustFollow: ObjectID?
    /// Whose commits the remote may be told of.
    public let origin: StoreOrigin
    /// What of the commit is wanted, where the remote can leave the rest out.
    public let folder: TreePath
    /// Whether the object of an annotated tag is wanted, besides the commit.
    public let needsTag: Bool
    /// The most bytes of a pack: what is asked for besides what is needed must not be more. Whoever is told of progress decides about
    /// the rest.
    public let maxBytes: Int64

    /// Makes a request.
    public init(
        advertisement: Advertisement, store: Store, depth: Int, mustFollow: ObjectID?, origin: StoreOrigin = .followed,
        folder: TreePath = .root, needsTag: Bool = false, maxBytes: Int64 = .max
    ) {
        self.needsTag = needsTag
        self.maxBytes = maxBytes
        self.folder = folder
        self.origin = origin
        self.advertisement = advertisement
        self.store = store
        self.depth = depth
        self.mustFollow = mustFollow
    }
}

/// What is needed to reach a remote.
public struct UpstreamOptions: Sendable, Equatable {
    /// Where it is.
    public var url: RemoteURL
    /// What of it is followed.
    public var ref: RefSelection
    /// For servers that ask.
    public var credentials: CredentialSource
    /// In place of credentials, where the repository is GitHub's.
    public var app: GitHubAppOptions?
    /// For servers over ssh.
    public var ssh: SSHOptions
    /// For servers over TLS.
    public var tls: TLSOptions
    /// Between us and servers over http(s).
    public var proxies: ProxyRules
    /// Where its server of Git LFS is; `nil` looks for it as git-lfs does.
    public var lfs: LFSAddress?
    /// A server of Git LFS that a commit may name although it is elsewhere.
    var trustedLFS: LFSAddress?
    /// The longest time without a byte, in seconds.
    public var timeout: Duration
    /// How we call ourselves: a name, a slash and a version.
    public var agent = "sidekick"

    /// Makes options.
    public init(
        url: RemoteURL, ref: RefSelection = .head, credentials: CredentialSource = CredentialSource(),
        ssh: SSHOptions = SSHOptions(), tls: TLSOptions = TLSOptions(), proxies: ProxyRules = ProxyRules([:]),
        timeout: Duration = .seconds(60)
    ) {
        self.url = url
        self.ref = ref
        self.credentials = credentials
        self.ssh = ssh
        self.tls = tls
        self.proxies = proxies
        self.timeout = timeout
    }

    /// The transport for the address. A new protocol is a new file in this room and a line here.
    ///
    /// - Parameters:
    ///   - executor: where blocking work is done.
    ///   - traffic: counts what is asked.
    ///   - tell: takes what a person should know once, in one sentence.
    public func makeUpstream(
        on executor: GitExecutor, counting traffic: Traffic = Traffic(),
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(UpstreamError) -> any Upstream {
        func smart(_ transport: any SmartTransport) -> SmartUpstream {
            SmartUpstream(self, over: transport, on: executor, counting: traffic, tell: tell)
        }
        return switch url.transport {
        case .local: LocalUpstream(options: self, executor: executor)
        case .https, .http: smart(try HTTPTransport(self, counting: traffic))
        case .git: smart(GitTransport(self, counting: traffic))
        case .ssh: smart(SSHTransport(self, counting: traffic))
        }
    }
}

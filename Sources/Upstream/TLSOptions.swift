/// Whom to trust over TLS besides the system's authorities, and who we are. The files are read once.
public struct TLSOptions: Sendable, Equatable {
    /// A file of more authorities' certificates, in PEM.
    public var authorities: String?
    /// A file with our own certificate and those that lead to its authority, in PEM.
    public var certificate: String?
    /// The file of its key, in PEM.
    public var key: String?

    /// Makes options.
    public init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
    }
}

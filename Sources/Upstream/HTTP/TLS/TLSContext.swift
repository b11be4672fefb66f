internal import COpenSSL
import Git
import Platform
import Synchronization

/// What all TLS connections of a client have in common: TLS 1.2 or newer, whom it trusts, and who it is.
final class TLSContext: Sendable {
    nonisolated(unsafe) private let context: OpaquePointer
    private let hasAuthorities = Mutex(false)

    /// Reads the files that are named; the system's authorities are read by `loadAuthorities`.
    ///
    /// - Parameter isHome: whether it is the repository's own host: nobody else is shown our certificate.
    /// - Throws: `UpstreamError.fileUnusable`.
    init(_ options: TLSOptions, isHome: Bool) throws(UpstreamError) {
        defer { ERR_clear_error() }
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw .fileUnusable(path: "openssl.cnf", reason: "OpenSSL does not start with it")
        }
        self.context = context
        openssl_at_least_tls12(context)
        openssl_set_modes(context)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        // Nobody is asked for the words that an encrypted key needs.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
        if let file = options.authorities {
            guard SSL_CTX_load_verify_file(context, file) == 1 else {
                throw .fileUnusable(path: file, reason: "it holds no certificate in PEM")
            }
        }
        guard isHome, let certificate = options.certificate, let key = options.key else { return }
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw .fileUnusable(path: certificate, reason: "it holds no certificate in PEM")
        }
        ERR_clear_error()
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
            throw .fileUnusable(
                path: key,
                reason: ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509
                    ? "it is not the key of \(certificate)" : "it holds no private key in PEM")
        }
    }

    deinit { SSL_CTX_free(context) }

    /// Reads whom the system trusts, once: some 140 certificates take 25 ms.
    ///
    /// - Throws: `CancellationError`.
    func loadAuthorities() async throws {
        guard !hasAuthorities.withLock({ $0 }) else { return }
        try await DiskThread.perform {
            self.hasAuthorities.withLock { isDone in
                guard !isDone else { return }
                isDone = true
                self.readAuthorities()
            }
        }
    }

    private func readAuthorities() {
        defer { ERR_clear_error() }
        // SSL_CERT_FILE and SSL_CERT_DIR, or what is at OpenSSL's own place: its folder is looked into when a server is met.
        let known = count
        SSL_CTX_set_default_verify_paths(context)
        guard count == known else { return }
        _ = Self.bundles.first { SSL_CTX_load_verify_file(context, $0) == 1 }
    }

    /// How many certificates are trusted already.
    private var count: Int32 { OPENSSL_sk_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context))) }

    /// Where systems keep whom they trust.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]

    /// A connection's part of it.
    func session() -> OpaquePointer? { SSL_new(context) }
}

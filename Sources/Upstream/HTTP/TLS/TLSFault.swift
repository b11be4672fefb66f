internal import COpenSSL

/// What OpenSSL could not do, in its words.
enum TLSFault: Error, Equatable {
    /// One of the certificates is at fault: the server's or ours.
    case certificate(String)
    case failed(String)

    /// What this thread's last call failed with.
    ///
    /// - Parameter verification: why the server's certificate was refused, as `SSL_get_verify_result` has it.
    static func last(verification: Int = Int(X509_V_OK)) -> TLSFault {
        defer { ERR_clear_error() }
        let code = ERR_peek_error()
        if verification != Int(X509_V_OK) {
            return .certificate(String(cString: X509_verify_cert_error_string(verification)))
        }
        guard code != 0, let reason = ERR_reason_error_string(code) else { return .failed("the handshake ended") }
        let words = String(cString: reason)
        return words.contains("certificate") ? .certificate(words) : .failed(words)
    }
}

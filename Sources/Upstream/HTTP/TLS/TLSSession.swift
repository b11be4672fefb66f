internal import COpenSSL
import NIOCore

/// One TLS connection without a socket: what came goes in, what is to be sent comes out (RFC 8446).
///
/// It belongs to one thread.
final class TLSSession {
    private let session: OpaquePointer
    /// What came and was not read yet, and what was written and not sent yet. The session owns both.
    private let (incoming, outgoing): (OpaquePointer, OpaquePointer)

    /// - Parameters:
    ///   - name: whom the server's certificate has to name.
    ///   - isAddress: whether that is an IP address: the server is not told it (RFC 6066, section 3).
    init(_ context: TLSContext, with name: String, isAddress: Bool) throws(TLSFault) {
        ERR_clear_error()
        guard let session = context.session() else { throw .last() }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(session)
            throw .last()
        }
        SSL_set_bio(session, incoming, outgoing)
        (self.session, self.incoming, self.outgoing) = (session, incoming, outgoing)
        SSL_set_hostflags(session, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        let isSet =
            isAddress
            ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) == 1
            : SSL_set1_host(session, name) == 1 && openssl_server_name(session, name) == 1
        // `self` frees it.
        guard isSet else { throw .last() }
        SSL_set_connect_state(session)
    }

    deinit { SSL_free(session) }

    /// Takes what came from the other side.
    func receive(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { _ = BIO_write(incoming, $0.baseAddress, Int32($0.count)) }
    }

    /// Goes on with the handshake.
    ///
    /// - Returns: whether it is done.
    func handshake() throws(TLSFault) -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(session)
        if result == 1 { return true }
        guard try waits(result) else { throw .failed("the other side ended the handshake") }
        return false
    }

    enum Reading {
        /// More has to come first.
        case waits
        /// The other side has said that nothing follows.
        case ended
    }

    /// Appends what can be read to a buffer.
    func read(into buffer: inout ByteBuffer) throws(TLSFault) -> Reading {
        while true {
            ERR_clear_error()
            var size = 0
            let result = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 16_384) {
                size = Int(SSL_read(session, $0.baseAddress, Int32(clamping: $0.count)))
                return max(size, 0)
            }
            guard result <= 0 else { continue }
            return try waits(Int32(size)) ? .waits : .ended
        }
    }

    /// Encrypts what is to be sent. Only after the handshake.
    func write(_ bytes: ByteBuffer) throws(TLSFault) {
        guard bytes.readableBytes > 0 else { return }
        ERR_clear_error()
        let result = bytes.withUnsafeReadableBytes { SSL_write(session, $0.baseAddress, Int32($0.count)) }
        guard result > 0 else { throw fault() }
    }

    /// Says that nothing follows.
    func end() {
        ERR_clear_error()
        SSL_shutdown(session)
        ERR_clear_error()
    }

    /// What is to be sent; `nil` when that is nothing.
    func outgoing(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        let size = BIO_ctrl_pending(outgoing)
        guard size > 0 else { return nil }
        var buffer = allocator.buffer(capacity: size)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) {
            Int(BIO_read(outgoing, $0.baseAddress, Int32(size)))
        }
        return buffer
    }

    /// Whether a call that gave no result only waits for more; `false` when the other side has ended.
    private func waits(_ result: Int32) throws(TLSFault) -> Bool {
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return true
        case SSL_ERROR_ZERO_RETURN: return false
        default: throw fault()
        }
    }

    private func fault() -> TLSFault { .last(verification: SSL_get_verify_result(session)) }
}

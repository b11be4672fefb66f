internal import COpenSSL

/// A private RSA key that signs (RFC 8017, RSASSA-PKCS1-v1_5 with SHA-256: RS256 of RFC 7518).
public final class SigningKey {
    private let key: OpaquePointer

    /// - Parameter pem: the key in PEM, PKCS #1 or #8, not encrypted.
    /// - Returns: `nil` when that is no RSA key of at least 2048 bit.
    public init?(pem: String) {
        defer { ERR_clear_error() }
        guard let key = Array(pem.utf8).withUnsafeBytes(Self.read) else { return nil }
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA, EVP_PKEY_get_bits(key) >= 2048 else {
            EVP_PKEY_free(key)
            return nil
        }
        self.key = key
    }

    /// The source copies nothing: its bytes have to be there for as long as it is read.
    private static func read(_ bytes: UnsafeRawBufferPointer) -> OpaquePointer? {
        guard let source = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
        defer { BIO_free(source) }
        // Nobody is asked for the words that an encrypted key needs.
        let noWords: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
            _, _, _, _ in -1
        }
        return PEM_read_bio_PrivateKey(source, nil, noWords, nil)
    }

    deinit { EVP_PKEY_free(key) }

    /// The signature of a message; `nil` when the key cannot sign.
    public func sign(_ message: [UInt8]) -> [UInt8]? {
        defer { ERR_clear_error() }
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        var size = Int(EVP_PKEY_get_size(key))
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else { return nil }
        var signature = [UInt8](repeating: 0, count: size)
        guard EVP_DigestSign(context, &signature, &size, message, message.count) == 1 else { return nil }
        return Array(signature.prefix(size))
    }
}

import CDeflate
import Glibc
import Platform

/// Writes gzip (RFC 1952) for one thread: without a time and a name, so that the same bytes are the same file everywhere.
final class Gzip {
    private var compressor: OpaquePointer?

    /// Of libdeflate's 12. Above it an hour is spent for a hundredth: see docs/publishing.md.
    private static let level: Int32 = 9

    deinit { if let compressor { libdeflate_free_compressor(compressor) } }

    /// Lends the compressed bytes.
    ///
    /// - Throws: `SystemError` for want of memory.
    func withCompressed<Value>(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) throws -> Value {
        compressor = compressor ?? libdeflate_alloc_compressor(Self.level)
        guard let compressor, let room = malloc(libdeflate_gzip_compress_bound(compressor, bytes.count)) else {
            throw SystemError("compress", code: ENOMEM)
        }
        defer { free(room) }
        let bound = libdeflate_gzip_compress_bound(compressor, bytes.count)
        let count = libdeflate_gzip_compress(compressor, bytes.baseAddress, bytes.count, room, bound)
        return try body(UnsafeRawBufferPointer(start: room, count: count))
    }
}

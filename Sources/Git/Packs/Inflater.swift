import CDeflate

/// libdeflate's inflate of zlib's format (RFC 1950), for what is in memory as a whole and whose size is known. For one thread.
final class Inflater {
    private let pointer = libdeflate_alloc_decompressor()

    deinit { libdeflate_free_decompressor(pointer) }

    /// - Parameter output: as large as what comes out is.
    /// - Returns: how many bytes of the input it took; `nil` where they are not such a stream, end before it does, or where what
    ///   comes out has another size.
    func inflate(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        guard let pointer, let start = input.baseAddress else { return nil }
        // An empty object has a stream as well.
        var nothing: UInt8 = 0
        var taken = 0
        let result = withUnsafeMutablePointer(to: &nothing) { nothing in
            libdeflate_zlib_decompress_ex(
                pointer, start, input.count, output.baseAddress ?? UnsafeMutableRawPointer(nothing), output.count,
                &taken,
                nil)
        }
        return result == LIBDEFLATE_SUCCESS ? taken : nil
    }

    /// The most bytes that zlib makes of so many (zlib's `compressBound`, and its header and end). Others may make more.
    static func mostBytes(ofSize size: Int) -> Int { size + size >> 8 + 64 }
}

/// libdeflate's deflate, into zlib's format (RFC 1950), of what is in memory as a whole.
enum Deflater {
    /// The fastest: what is made here is made anew by a compaction.
    private static let level: Int32 = 1

    /// - Returns: `nil` without memory for it.
    static func deflated(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let compressor = libdeflate_alloc_compressor(level) else { return nil }
        defer { libdeflate_free_compressor(compressor) }
        let most = libdeflate_zlib_compress_bound(compressor, bytes.count)
        return [UInt8](unsafeUninitializedCapacity: most) { output, count in
            var nothing: UInt8 = 0
            count = withUnsafeMutablePointer(to: &nothing) { nothing in
                libdeflate_zlib_compress(
                    compressor, bytes.baseAddress ?? UnsafeRawPointer(nothing), bytes.count, output.baseAddress, most)
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// CRC-32 (ISO 3309) of these bytes behind others.
    func crc32(after others: UInt32 = 0) -> UInt32 { isEmpty ? others : libdeflate_crc32(others, baseAddress, count) }
}

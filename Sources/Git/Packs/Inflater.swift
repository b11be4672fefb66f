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

extension UnsafeRawBufferPointer {
    /// CRC-32 (ISO 3309) of these bytes behind others.
    func crc32(after others: UInt32 = 0) -> UInt32 { isEmpty ? others : libdeflate_crc32(others, baseAddress, count) }
}

import CZlib

/// zlib's inflate (RFC 1950) of bytes that come piece by piece.
final class InflateStream {
    // zlib knows a stream by its address.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    /// Whether the end of the stream has come.
    private(set) var hasEnded = false

    init() throws(GitError) {
        stream.initialize(to: z_stream())
        guard inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw GitError(call: "inflateInit", code: -1, message: "out of memory")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        output.deallocate()
    }

    /// Takes a piece, as far as the stream goes.
    ///
    /// - Parameter body: is lent what comes out.
    /// - Returns: how many bytes of the piece belong to the stream; `nil` for bytes that are none.
    /// - Throws: what `body` throws.
    func take(_ piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows -> Int? {
        guard !hasEnded, let start = piece.baseAddress else { return 0 }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: Bytef.self))
        stream.pointee.avail_in = uInt(piece.count)
        repeat {
            stream.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: Bytef.self)
            stream.pointee.avail_out = uInt(output.count)
            let code = inflate(stream, Z_NO_FLUSH)
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR && stream.pointee.avail_in == 0 else {
                return nil
            }
            let count = output.count - Int(stream.pointee.avail_out)
            if count > 0 { try body(UnsafeRawBufferPointer(rebasing: output[..<count])) }
            hasEnded = code == Z_STREAM_END
        } while !hasEnded && (stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0)
        return piece.count - Int(stream.pointee.avail_in)
    }
}

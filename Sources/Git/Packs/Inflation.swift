import CZlib

/// zlib's inflate (RFC 1950) of what stands in a file.
enum Inflation {
    private static let (inSize, outSize) = (1 << 16, 1 << 18)

    /// - Parameter limit: bytes; one more is an error.
    /// - Returns: how many bytes were lent.
    static func run(
        _ file: PackFile, from start: UInt64, atMost limit: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int64 {
        let damage = { GitError(call: "git_odb_read", code: -1, message: "\(file.path) cannot be inflated") }
        // zlib knows a stream by its address.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        guard inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw damage() }
        defer { inflateEnd(stream) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: inSize + outSize, alignment: 16)
        defer { buffer.deallocate() }
        let input = UnsafeMutableRawBufferPointer(rebasing: buffer[..<inSize])
        let output = UnsafeMutableRawBufferPointer(rebasing: buffer[inSize...])
        var (place, count, code) = (start, Int64(0), Z_OK)
        while code != Z_STREAM_END {
            try Task.checkCancellation()
            if stream.pointee.avail_in == 0 {
                let size = try file.read(at: place, into: input)
                guard size > 0 else { throw damage() }
                place += UInt64(size)
                stream.pointee.next_in = input.baseAddress!.assumingMemoryBound(to: Bytef.self)
                stream.pointee.avail_in = uInt(size)
            }
            stream.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: Bytef.self)
            stream.pointee.avail_out = uInt(outSize)
            code = inflate(stream, Z_NO_FLUSH)
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR && stream.pointee.avail_in == 0 else {
                throw damage()
            }
            let piece = UnsafeRawBufferPointer(rebasing: output[..<(outSize - Int(stream.pointee.avail_out))])
            count += Int64(piece.count)
            guard count <= limit else { throw damage() }
            if !piece.isEmpty { try body(piece) }
        }
        return count
    }
}

/// zlib's deflate (RFC 1950), piece by piece.
struct Deflation: ~Copyable {
    private var stream: UnsafeMutablePointer<z_stream>
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = deflateInit_(
            stream, Z_DEFAULT_COMPRESSION, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            output.deallocate()
            throw GitError(call: "deflateInit", code: code, message: "out of memory")
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        output.deallocate()
    }

    /// - Parameter isLast: whether nothing follows.
    mutating func take(
        _ piece: UnsafeRawBufferPointer, isLast: Bool, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: piece.baseAddress?.assumingMemoryBound(to: Bytef.self))
        stream.pointee.avail_in = uInt(piece.count)
        repeat {
            stream.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: Bytef.self)
            stream.pointee.avail_out = uInt(output.count)
            _ = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
            let count = output.count - Int(stream.pointee.avail_out)
            if count > 0 { try body(UnsafeRawBufferPointer(rebasing: output[..<count])) }
        } while stream.pointee.avail_out == 0
    }
}

import CZlib

/// zlib's inflate (RFC 1950) of what stands in a file.
enum Inflation {
    private static let pieceSize = 1 << 16

    /// - Parameter limit: bytes; one more is an error.
    /// - Returns: how many bytes were lent.
    static func run(
        _ file: PackFile, from start: UInt64, atMost limit: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int64 {
        let damage = GitError(call: "git_odb_read", code: -1, message: "\(file.path) cannot be inflated")
        let stream = try InflateStream()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 16)
        defer { buffer.deallocate() }
        var (place, count) = (start, Int64(0))
        while !stream.hasEnded {
            try Task.checkCancellation()
            let size = try file.read(at: place, into: buffer)
            guard size > 0 else { throw damage }
            place += UInt64(size)
            let taken = try stream.take(UnsafeRawBufferPointer(rebasing: buffer[..<size])) { piece in
                count += Int64(piece.count)
                guard count <= limit else { throw damage }
                try body(piece)
            }
            guard taken != nil else { throw damage }
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

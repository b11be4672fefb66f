import Glibc

/// Reads an open file to its end, piece by piece, so that its size costs no memory.
///
/// - Returns: 0, or the `errno` of a read that failed.
/// - Throws: what `body` throws.
public func forEachPiece<Failure>(
    of file: Int32, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
) throws(Failure) -> Int32 {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = read(file, buffer.baseAddress, buffer.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { return errno }
        if count == 0 { return 0 }
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}

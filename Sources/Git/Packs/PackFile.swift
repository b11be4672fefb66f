import Glibc

/// An open pack, or a loose object: it can be read even if a repack removes it meanwhile.
final class PackFile {
    let path: String
    private let descriptor: Int32
    private let size: UInt64

    /// Where a pack's entries end, before its checksum.
    var end: UInt64 { size - 20 }

    /// - Parameter smallest: a file with fewer bytes is none.
    init?(_ path: String, smallest: Int = 33) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size >= smallest else {
            close(descriptor)
            return nil
        }
        size = UInt64(status.st_size)
    }

    deinit { close(descriptor) }

    /// - Returns: how many bytes there were; fewer where the file ends.
    /// - Throws: `GitError` for a disk that cannot read them.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(GitError) -> Int {
        var filled = 0
        while filled < buffer.count {
            guard let place = off_t(exactly: offset + UInt64(filled)) else { break }
            let count = pread(descriptor, buffer.baseAddress! + filled, buffer.count - filled, place)
            if count < 0 {
                if errno == EINTR { continue }
                throw .disk("read", path)
            }
            guard count > 0 else { break }
            filled += count
        }
        return filled
    }
}

/// How an entry of a pack begins (gitformat-pack(5)): what it is, and the size of what is compressed in it.
struct PackEntryHead {
    static let blob: UInt8 = 3
    static let (offsetDelta, referenceDelta): (UInt8, UInt8) = (6, 7)
    /// A size of 64 bits, and the id of a base.
    static let longest = 40

    let kind: UInt8
    let size: UInt64
    /// How many bytes it takes.
    let length: Int

    /// An entry's first bytes.
    static func bytes(kind: UInt8, size: UInt64) -> [UInt8] {
        var (bytes, rest) = ([kind << 4 | UInt8(size & 15)], size >> 4)
        while rest > 0 {
            bytes[bytes.count - 1] |= 0x80
            bytes.append(UInt8(rest & 0x7f))
            rest >>= 7
        }
        return bytes
    }

    /// `nil` for what is none.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.first else { return nil }
        var (size, shift, length) = (UInt64(first & 15), UInt64(4), 1)
        while bytes[length - 1] & 0x80 != 0 {
            guard length < bytes.count, length < 10 else { return nil }
            size |= UInt64(bytes[length] & 0x7f) << shift
            (shift, length) = (shift + 7, length + 1)
        }
        guard length < bytes.count else { return nil }
        (kind, self.size, self.length) = (first >> 4 & 7, size, length)
    }

    /// What an entry is the difference from.
    enum Base {
        case none
        /// How many bytes before the entry it begins.
        case distance(UInt64, length: Int)
        case name(ObjectID, length: Int)

        /// Bytes that it takes behind the head.
        var length: Int {
            switch self {
            case .none: 0
            case .distance(_, let length), .name(_, let length): length
            }
        }
    }

    /// - Parameter bytes: of the entry, from its beginning.
    /// - Returns: `nil` for an entry of no known kind, and where bytes are missing.
    func base(in bytes: UnsafeRawBufferPointer) -> Base? {
        switch kind {
        case 1...4: return Base.none
        case Self.offsetDelta:
            var index = length
            guard index < bytes.count else { return nil }
            var distance = UInt64(bytes[index] & 0x7f)
            while bytes[index] & 0x80 != 0 {
                index += 1
                guard index < bytes.count, distance < 1 << 56 else { return nil }
                distance = (distance + 1) << 7 | UInt64(bytes[index] & 0x7f)
            }
            return distance > 0 ? .distance(distance, length: index + 1 - length) : nil
        case Self.referenceDelta:
            guard length + 20 <= bytes.count else { return nil }
            return .name(
                ObjectID(bytes: UnsafeRawBufferPointer(rebasing: bytes[length..<length + 20])), length: 20)
        default: return nil
        }
    }
}

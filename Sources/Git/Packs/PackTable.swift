import Glibc

/// The index of a pack, version 2 (gitformat-pack(5), "pack-*.idx files"), as a table that is asked and not read.
final class PackTable {
    private let bytes: UnsafeRawBufferPointer
    private let count: Int

    private static let header: [UInt8] = [0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]
    private static let fanout = 8
    private static let ids = fanout + 256 * 4
    /// After the ids, four bytes each: checksums of entries, and then where they begin.
    private var offsets: Int { Self.ids + count * 24 }
    private var largeOffsets: Int { offsets + count * 4 }
    private static let trailer = 40

    /// `nil` for a file that is none, or of another version: whoever reads the objects otherwise will tell of it.
    init?(_ path: String) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size >= Self.ids + Self.trailer else { return nil }
        let size = Int(status.st_size)
        // A pack never changes under its name, so neither does its index.
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0), start != MAP_FAILED else { return nil }
        let bytes = UnsafeRawBufferPointer(start: start, count: size)
        let count = Int(Self.word(bytes, Self.fanout + 255 * 4))
        guard bytes.starts(with: Self.header), Self.ids + count * 28 + Self.trailer <= size else {
            munmap(start, size)
            return nil
        }
        (self.bytes, self.count) = (bytes, count)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

    /// Where the entry of an object begins; `nil` for one that the pack does not have.
    func offset(of id: ObjectID) -> UInt64? {
        let first = Int(id.prefix >> 56)
        var low = first == 0 ? 0 : Int(Self.word(bytes, Self.fanout + (first - 1) * 4))
        var high = min(Int(Self.word(bytes, Self.fanout + first * 4)), count)
        return id.withBytes { wanted in
            while low < high {
                let middle = (low + high) / 2
                let found = UnsafeRawBufferPointer(rebasing: bytes[(Self.ids + middle * 20)...].prefix(20))
                let order = memcmp(found.baseAddress!, wanted.baseAddress!, 20)
                if order == 0 { return offset(at: middle) }
                if order < 0 { low = middle + 1 } else { high = middle }
            }
            return nil
        }
    }

    /// Calls with each place at which an entry begins, in no order.
    func forEachOffset(_ body: (UInt64) -> Void) {
        for index in 0..<count { if let offset = offset(at: index) { body(offset) } }
    }

    private func offset(at index: Int) -> UInt64? {
        let short = Self.word(bytes, offsets + index * 4)
        guard short & 0x8000_0000 != 0 else { return UInt64(short) }
        let place = largeOffsets + Int(short & 0x7fff_ffff) * 8
        guard place + 8 + Self.trailer <= bytes.count else { return nil }
        return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }
}

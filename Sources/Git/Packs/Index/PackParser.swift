import Platform

/// Finds the entries of a pack as it arrives (gitformat-pack(5)): where each begins and ends is known only by inflating it. Whole
/// objects are named on the way.
final class PackParser {
    private(set) var entries: [PackEntry] = []
    /// Objects that the pack says it has; 0 until it did.
    private(set) var total = 0
    private var deltas: [PackDeltaEntry] = []
    private var largest: UInt64 = 0

    private enum Stage { case header, entries, checksum, end }
    private var stage = Stage.header
    private let input = PackInput()
    /// Where the input begins in the pack.
    private var offset: UInt64 = 0
    private var hash = SHA1()
    private var checksum: [UInt8] = []
    private let inflater = Inflater()
    private let namer = ObjectNamer()
    private var large: LargeEntry?
    private var scratch = [UInt8]()

    /// Entries with more bytes are inflated piece by piece, the others at once when all of it is here.
    private static let wholeSize = UInt64(1 << 20)
    private static let (headerSize, checksumSize) = (12, 20)

    init() throws(GitError) { try Library.started.get() }

    func append(_ data: UnsafeRawBufferPointer) throws {
        input.append(data)
        try parse(isLast: false)
    }

    /// - Throws: `GitError` when it is not whole.
    func finish() throws -> IncomingPack {
        try parse(isLast: true)
        guard stage == .end else {
            throw IncomingPack.damage("ends before its end: \(entries.count) of \(total) objects came")
        }
        for (index, id) in try namer.finish() { entries[index].id = id }
        return IncomingPack(
            entries: entries, deltas: deltas, end: offset - UInt64(Self.checksumSize), checksum: checksum,
            largest: largest)
    }

    private func parse(isLast: Bool) throws {
        while true {
            switch stage {
            case .header:
                guard input.count >= Self.headerSize else { return }
                try readHeader()
            case .entries:
                guard try readEntry(isLast: isLast) else { return }
                if entries.count == total { stage = .checksum }
            case .checksum:
                guard input.count >= Self.checksumSize else { return }
                checksum = Array(input.bytes[..<Self.checksumSize])
                guard hash.digest() == checksum else { throw IncomingPack.damage("does not have its checksum") }
                input.take(Self.checksumSize)
                offset += UInt64(Self.checksumSize)
                stage = .end
            case .end:
                guard input.count == 0 else { throw IncomingPack.damage("has bytes behind its end") }
                return
            }
        }
    }

    private func readHeader() throws {
        let bytes = input.bytes
        func number(_ start: Int) -> UInt32 {
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
        }
        guard bytes.starts(with: "PACK".utf8) else { throw IncomingPack.damage("does not begin as one") }
        guard (2...3).contains(number(4)) else { throw IncomingPack.damage("has version \(number(4))") }
        total = Int(number(8))
        take(Self.headerSize)
        stage = total == 0 ? .checksum : .entries
    }

    private func take(_ count: Int) {
        hash.update(UnsafeRawBufferPointer(rebasing: input.bytes[..<count]))
        input.take(count)
        offset += UInt64(count)
    }

    // MARK: entries

    /// - Returns: false where more bytes have to come first.
    private func readEntry(isLast: Bool) throws -> Bool {
        if large != nil { return try readLarge(isLast: isLast) }
        let bytes = input.bytes
        guard bytes.count >= PackEntryHead.longest || isLast else { return false }
        guard let head = PackEntryHead(bytes), let base = head.base(in: bytes) else {
            throw IncomingPack.damage("has an entry that is none, its \(entries.count + 1)th")
        }
        let length = head.length + base.length
        if head.size <= Self.wholeSize {
            let size = Int(head.size)
            guard isLast || bytes.count >= length + Inflater.mostBytes(ofSize: size) else { return false }
            let packed = UnsafeRawBufferPointer(rebasing: bytes[length...])
            if let kind = ObjectKind(number: head.kind) {
                if let taken = inflater.inflate(packed, into: namer.room(for: size)) {
                    namer.take(size, as: kind, for: entries.count)
                    try end(head, base, checksum: nil, length + taken)
                    return true
                }
            } else {
                if scratch.count < size { scratch = [UInt8](repeating: 0, count: max(size, 1 << 16)) }
                let taken = scratch.withUnsafeMutableBytes {
                    inflater.inflate(packed, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<size]))
                }
                if let taken {
                    try end(head, base, checksum: nil, length + taken)
                    return true
                }
            }
            // Its stream is longer than what zlib makes, or damaged.
        }
        large = try LargeEntry(head, base, start: offset, head: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        take(length)
        return try readLarge(isLast: isLast)
    }

    private func readLarge(isLast: Bool) throws -> Bool {
        guard let large else { return false }
        guard let taken = try large.take(input.bytes) else {
            throw IncomingPack.damage("has an entry that cannot be inflated, its \(entries.count + 1)th")
        }
        take(taken)
        guard large.hasEnded else { return false }
        self.large = nil
        let id = try large.id()
        try end(large.head, large.base, start: large.start, checksum: large.checksum, 0)
        if let id { entries[entries.count - 1].id = id }
        return true
    }

    /// - Parameters:
    ///   - checksum: of all its bytes, where they were taken already.
    ///   - count: its bytes that are to be taken.
    private func end(
        _ head: PackEntryHead, _ base: PackEntryHead.Base, start: UInt64? = nil, checksum: UInt32?, _ count: Int
    ) throws {
        let start = start ?? offset
        let checksum = checksum ?? UnsafeRawBufferPointer(rebasing: input.bytes[..<count]).crc32()
        switch base {
        case .none: break
        case .distance(let distance, _):
            guard distance <= start else { throw IncomingPack.damage("has a difference from what stands before it") }
            deltas.append(PackDeltaEntry(index: entries.count, base: .offset(start - distance)))
        case .name(let id, _): deltas.append(PackDeltaEntry(index: entries.count, base: .name(id)))
        }
        largest = max(largest, head.size)
        entries.append(PackEntry(start: start, checksum: checksum, kind: head.kind, id: .zero))
        take(count)
    }
}

/// An entry that is inflated as it arrives; what comes out is counted, and named where it is an object.
private final class LargeEntry {
    let head: PackEntryHead
    let base: PackEntryHead.Base
    let start: UInt64
    /// CRC-32 of what was taken.
    private(set) var checksum: UInt32
    private let stream: InflateStream
    private let name: StreamedName?
    private var count: UInt64 = 0

    init(
        _ head: PackEntryHead, _ base: PackEntryHead.Base, start: UInt64, head bytes: UnsafeRawBufferPointer
    ) throws(GitError) {
        (self.head, self.base, self.start) = (head, base, start)
        checksum = bytes.crc32()
        stream = try InflateStream()
        name = if let kind = ObjectKind(number: head.kind) { try StreamedName(kind, size: head.size) } else { nil }
    }

    var hasEnded: Bool { stream.hasEnded }

    /// - Returns: how many bytes belong to it; `nil` for what cannot be inflated, or to another size.
    func take(_ piece: UnsafeRawBufferPointer) throws -> Int? {
        let taken = try stream.take(piece) { bytes in
            count += UInt64(bytes.count)
            if count <= head.size { try name?.update(bytes) }
        }
        guard let taken, count <= head.size, !hasEnded || count == head.size else { return nil }
        checksum = UnsafeRawBufferPointer(rebasing: piece[..<taken]).crc32(after: checksum)
        return taken
    }

    func id() throws(GitError) -> ObjectID? { try name?.id() }
}

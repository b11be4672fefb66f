import Platform

/// The index of a pack, version 2 (gitformat-pack(5), "pack-*.idx files"): the names in their order, a checksum and a place for each.
enum PackIndexFile {
    private static let header: [UInt8] = [0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]
    /// From here on a place takes eight bytes, in a table of its own.
    private static let large: UInt64 = 0x8000_0000

    /// - Throws: `GitError` for a pack that has an object twice, and a disk that refuses.
    static func write(_ pack: IncomingPack, to file: NewFile) throws {
        try Task.checkCancellation()
        let entries = pack.entries
        let order = entries.indices.sorted { entries[$0].id.precedes(entries[$1].id) }
        for (left, right) in zip(order, order.dropFirst()) where entries[left].id == entries[right].id {
            throw IncomingPack.damage("has object \(entries[left].id) twice")
        }
        var output = Output(file: file)
        try output.append(header)
        var (next, largeOffsets) = (0, [UInt64]())
        for first in 0...255 as ClosedRange<UInt64> {
            while next < order.count, entries[order[next]].id.prefix >> 56 <= first { next += 1 }
            try output.append(UInt32(next))
        }
        for index in order { try entries[index].id.withBytes { try output.append($0) } }
        for index in order { try output.append(entries[index].checksum) }
        for index in order {
            let start = entries[index].start
            if start < large {
                try output.append(UInt32(start))
            } else {
                try output.append(UInt32(large) | UInt32(largeOffsets.count))
                largeOffsets.append(start)
            }
        }
        for offset in largeOffsets {
            try output.append(UInt32(offset >> 32))
            try output.append(UInt32(truncatingIfNeeded: offset))
        }
        try output.append(pack.checksum)
        try output.end()
    }

    /// Big-endian numbers, and the SHA-1 of all at the end.
    private struct Output {
        let file: NewFile
        private var pending: [UInt8] = []
        private var hash = SHA1()
        private static let pieceSize = 1 << 17

        init(file: NewFile) {
            self.file = file
            pending.reserveCapacity(Self.pieceSize + 64)
        }

        mutating func append(_ value: UInt32) throws {
            try withUnsafeBytes(of: value.bigEndian) { try append($0) }
        }

        mutating func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

        mutating func append(_ bytes: UnsafeRawBufferPointer) throws {
            pending.append(contentsOf: bytes)
            if pending.count >= Self.pieceSize { try flush() }
        }

        mutating func end() throws {
            try flush()
            try hash.digest().withUnsafeBytes { try file.append($0) }
        }

        private mutating func flush() throws {
            try pending.withUnsafeBytes { bytes in
                hash.update(bytes)
                try file.append(bytes)
            }
            pending.removeAll(keepingCapacity: true)
        }
    }
}

import Foundation

/// SHA-1 (FIPS 180-4), for what git names and proves by it.
public enum SHA1 {
    /// The 20 bytes of the digest.
    public static func digest(_ bytes: [UInt8]) throws -> [UInt8] {
        // This one is slow in a build without optimization.
        if bytes.count > 1 << 16 { return try large(bytes) }
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
        let whole = bytes.count / 64 * 64
        var rest = Array(bytes[whole...]) + [0x80]
        while rest.count % 64 != 56 { rest.append(0) }
        rest += UInt64(bytes.count * 8).bigEndianBytes
        bytes.withUnsafeBufferPointer { blocks in
            for start in stride(from: 0, to: whole, by: 64) { add(blocks.baseAddress! + start, to: &state) }
        }
        rest.withUnsafeBufferPointer { blocks in
            for start in stride(from: 0, to: rest.count, by: 64) { add(blocks.baseAddress! + start, to: &state) }
        }
        return state.flatMap(\.bigEndianBytes)
    }

    private static func large(_ bytes: [UInt8]) throws -> [UInt8] {
        let text = try Command.run(["sha1sum"], input: Data(bytes)).text
        return RawID(hex: String(text.prefix(40))).bytes
    }

    private static func add(_ block: UnsafePointer<UInt8>, to state: inout [UInt32]) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { words in
            for i in 0..<16 {
                words[i] =
                    UInt32(block[4 * i]) << 24 | UInt32(block[4 * i + 1]) << 16 | UInt32(block[4 * i + 2]) << 8
                    | UInt32(block[4 * i + 3])
            }
            for i in 16..<80 {
                let word = words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]
                words[i] = word << 1 | word >> 31
            }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for i in 0..<80 {
                let mixed: UInt32
                switch i {
                case 0..<20: mixed = (b & c | ~b & d) &+ 0x5a82_7999
                case 20..<40: mixed = (b ^ c ^ d) &+ 0x6ed9_eba1
                case 40..<60: mixed = (b & c | b & d | c & d) &+ 0x8f1b_bcdc
                default: mixed = (b ^ c ^ d) &+ 0xca62_c1d6
                }
                let next = (a << 5 | a >> 27) &+ mixed &+ e &+ words[i]
                (e, d, c, b, a) = (d, c, b << 30 | b >> 2, a, next)
            }
            for (i, word) in [a, b, c, d, e].enumerated() { state[i] &+= word }
        }
    }
}

extension FixedWidthInteger {
    /// In the order of the network.
    var bigEndianBytes: [UInt8] {
        (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}

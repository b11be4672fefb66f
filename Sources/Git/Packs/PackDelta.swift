import Glibc

/// How an object is made of another one, its base (gitformat-pack(5), "Deltified representation"): two sizes, then pieces of the base
/// and bytes of its own.
struct PackDelta {
    let baseSize: Int
    let resultSize: Int
    private let steps: UnsafeRawBufferPointer

    /// `nil` for what does not begin as one.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var position = 0
        guard let baseSize = Self.size(in: bytes, &position), let resultSize = Self.size(in: bytes, &position) else {
            return nil
        }
        (self.baseSize, self.resultSize) = (baseSize, resultSize)
        steps = UnsafeRawBufferPointer(rebasing: bytes[position...])
    }

    private static func size(in bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Int? {
        var (size, shift) = (0, 0)
        while position < bytes.count, shift < 56 {
            let byte = bytes[position]
            position += 1
            size |= Int(byte & 0x7f) << shift
            shift += 7
            if byte & 0x80 == 0 { return size }
        }
        return nil
    }

    /// - Parameter result: of `resultSize` bytes.
    /// - Returns: whether the base was of the right size and all of the result was made, neither more nor less.
    func apply(to base: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer) -> Bool {
        guard base.count == baseSize, result.count == resultSize else { return false }
        var (position, filled) = (0, 0)
        while position < steps.count {
            let step = steps[position]
            position += 1
            if step & 0x80 != 0 {
                var (offset, size) = (0, 0)
                for bit in 0..<7 where step & (1 << bit) != 0 {
                    guard position < steps.count else { return false }
                    let byte = Int(steps[position])
                    position += 1
                    if bit < 4 { offset |= byte << (8 * bit) } else { size |= byte << (8 * (bit - 4)) }
                }
                if size == 0 { size = 0x10000 }
                guard offset + size <= base.count, size <= result.count - filled else { return false }
                memcpy(result.baseAddress! + filled, base.baseAddress! + offset, size)
                filled += size
            } else {
                let size = Int(step)
                // Zero is kept for what may come.
                guard size > 0, size <= steps.count - position, size <= result.count - filled else { return false }
                memcpy(result.baseAddress! + filled, steps.baseAddress! + position, size)
                position += size
                filled += size
            }
        }
        return filled == result.count
    }
}

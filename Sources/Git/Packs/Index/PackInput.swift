import Glibc

/// Bytes that have arrived and were not taken yet.
final class PackInput {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 16)
    private var (start, end) = (0, 0)

    deinit { memory.deallocate() }

    var count: Int { end - start }

    /// Good until the next call.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<end]) }

    func append(_ data: UnsafeRawBufferPointer) {
        guard let from = data.baseAddress else { return }
        if start == end { (start, end) = (0, 0) }
        if memory.count - end < data.count {
            let needed = count + data.count
            let target =
                needed <= memory.count / 2
                ? memory : .allocate(byteCount: max(2 * memory.count, 2 * needed), alignment: 16)
            memmove(target.baseAddress!, memory.baseAddress! + start, count)
            if target.baseAddress != memory.baseAddress { memory.deallocate() }
            (memory, start, end) = (target, 0, end - start)
        }
        memcpy(memory.baseAddress! + end, from, data.count)
        end += data.count
    }

    func take(_ count: Int) { start += count }
}

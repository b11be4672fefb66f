import CGitMemory

/// Memory for the bytes of an object, counted with what libgit2 holds, and refused beyond the same limits (`ObjectLimits`).
final class ObjectBuffer {
    let bytes: UnsafeMutableRawBufferPointer

    /// - Throws: `GitError` with `exceeded` beyond a limit.
    init(size: Int) throws(GitError) {
        // An empty object has an address as well.
        guard let start = sidekick_memory_allocate(max(size, 1)) else {
            _ = sidekick_memory_take_refusal()
            let limits = ObjectLimits.current
            throw GitError(
                call: "malloc",
                exceeding: ExceededLimit(
                    kind: .memory, what: "an object", found: size, allowed: size > limits.one ? limits.one : limits.all)
            )
        }
        bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
    }

    deinit { sidekick_memory_free(bytes.baseAddress) }

    var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }
}

import Git
import Glibc
import Synchronization
import Platform
import Upstream

/// What a command prints, taken line by line while it runs, and no more than a bound of it. Its end is not waited for: what a
/// command leaves behind may hold the pipe for ever.
final class HookOutput: Sendable {
    /// For the child; ours until `finish`.
    let writingEnd: Int32
    private let reader: DescriptorReader
    private let lines: Lines

    /// - Parameter take: gets each line, without its end.
    /// - Throws: `HookFailure` when there are no more descriptors or threads.
    init(_ take: @escaping @Sendable (String) -> Void) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw HookFailure("cannot be run: \(String(cString: strerror(errno)))", recovery: .retry)
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        writingEnd = ends[1]
        let (lines, reading) = (Lines(take), ends[0])
        self.lines = lines
        do {
            reader = try DescriptorReader(reading) { lines.read(reading) }
        } catch {
            close(ends[1])
            throw HookFailure("cannot be run: \(error)", recovery: .retry)
        }
    }

    /// Takes what is there, and no more.
    ///
    /// - Returns: the last line that says something.
    func finish() -> String {
        reader.stop()
        close(writingEnd)
        return lines.finish()
    }

    private final class Lines: Sendable {
        private struct State {
            var line: [UInt8] = []
            var last = ""
            var told = 0
            var left = 0
        }

        private let state = Mutex(State())
        private let take: @Sendable (String) -> Void

        /// Lines of one run that are told.
        private static let most = 200
        /// Bytes of a line that are kept.
        private static let longest = 1_000

        init(_ take: @escaping @Sendable (String) -> Void) { self.take = take }

        /// - Returns: whether there may be more.
        func read(_ descriptor: Int32) -> Bool {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
            state.withLock { state in
                for byte in buffer[..<count] {
                    if byte == UInt8(ascii: "\n") {
                        tell(&state)
                    } else if state.line.count < Self.longest {
                        state.line.append(byte)
                    }
                }
            }
            return true
        }

        func finish() -> String {
            state.withLock { state in
                tell(&state)
                if state.left > 0 { take("… and \(state.left) more lines") }
                return state.last
            }
        }

        private func tell(_ state: inout State) {
            defer { state.line = [] }
            let line = String(decoding: state.line, as: UTF8.self).printable(limit: Self.longest)
            guard !line.allSatisfy(\.isWhitespace) else { return }
            state.last = line
            guard state.told < Self.most else { return state.left += 1 }
            state.told += 1
            take(line)
        }
    }
}

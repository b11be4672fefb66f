import Dispatch
import Git
import Glibc
import Synchronization

/// What a command prints, taken line by line while it runs, and no more than a bound of it. It is not waited for the end of
/// it: what a command leaves behind may hold the pipe for ever.
final class HookOutput: Sendable {
    /// For the child.
    let writingEnd: Int32
    private let readingEnd: Int32
    private let queue = DispatchQueue(label: "sidekick.hook")
    private let take: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        /// `nil` when there is nothing to read any more.
        var source: (any DispatchSourceRead)?
        var line: [UInt8] = []
        var last = ""
        var lines = 0
        var left = 0
    }

    /// Lines of one run that are told.
    private static let mostLines = 200
    /// Bytes of a line that are kept.
    private static let longestLine = 1_000

    /// - Parameter take: gets each line, without its end.
    init(_ take: @escaping @Sendable (String) -> Void) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw HookFailure("cannot be run: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        (readingEnd, writingEnd) = (ends[0], ends[1])
        self.take = take
        state.withLock { state in
            let source = DispatchSource.makeReadSource(fileDescriptor: readingEnd, queue: queue)
            source.setEventHandler { [weak self] in _ = self?.read() }
            source.setCancelHandler { [readingEnd] in close(readingEnd) }
            source.activate()
            state.source = source
        }
    }

    deinit { stop() }

    /// The descriptor is closed with it.
    private func stop() {
        state.withLock { state in
            state.source?.cancel()
            state.source = nil
        }
    }

    /// Takes what is there, and no more.
    ///
    /// - Returns: the last line that says something.
    func finish() -> String {
        queue.sync {
            for _ in 0..<16 where !read() { break }
            stop()
        }
        return state.withLock { state in
            tell(&state)
            if state.left > 0 { take("… and \(state.left) more lines") }
            return state.last
        }
    }

    /// - Returns: whether there may be more.
    private func read() -> Bool {
        guard state.withLock({ $0.source != nil }) else { return false }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(readingEnd, &buffer, buffer.count)
        guard count > 0 else {
            // Nobody will write any more: the source would call again and again.
            if count == 0 { stop() }
            return false
        }
        state.withLock { state in
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: "\n") {
                    tell(&state)
                } else if state.line.count < Self.longestLine {
                    state.line.append(byte)
                }
            }
        }
        return true
    }

    private func tell(_ state: inout State) {
        defer { state.line = [] }
        let line = String(decoding: state.line, as: UTF8.self).printable(limit: Self.longestLine)
        guard !line.allSatisfy(\.isWhitespace) else { return }
        state.last = line
        guard state.lines < Self.mostLines else { return state.left += 1 }
        state.lines += 1
        take(line)
    }
}

import Foundation
import Synchronization

/// Opens DESTINATION again and again, on a thread of its own, and reads a page and the picture that it names from what it opened.
final class TreeReader: Sendable {
    private struct State {
        var isOver = false
        var reads = 0
        var torn: [String] = []
    }

    private let state = Mutex(State())
    private let ended = DispatchGroup()

    /// - Parameter picture: what is in the picture of a page.
    init(of folder: String, page: String, picture: String, of bytes: @escaping @Sendable (String) -> Data) {
        ended.enter()
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isOver }) {
                usleep(2_000)
                let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                guard descriptor >= 0 else {
                    note("nothing to open: \(String(cString: strerror(errno)))")
                    continue
                }
                let text = Self.read(page, in: descriptor)
                let found = Self.read(picture, in: descriptor)
                if found != text.map({ bytes(String(decoding: $0, as: UTF8.self)) }) {
                    note(
                        "page \(text.map { String(decoding: $0, as: UTF8.self) } ?? "none"): \(found?.count ?? -1) bytes"
                    )
                }
                close(descriptor)
                state.withLock { $0.reads += 1 }
            }
            ended.leave()
        }
    }

    private static func read(_ name: String, in folder: Int32) -> Data? {
        let file = openat(folder, name, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        return FileHandle(fileDescriptor: file, closeOnDealloc: true).readDataToEndOfFile()
    }

    private func note(_ text: String) { state.withLock { if $0.torn.count < 10 { $0.torn.append(text) } } }

    /// - Returns: how often it read, and what was not of one commit.
    func end() async -> (reads: Int, torn: [String]) {
        state.withLock { $0.isOver = true }
        await withCheckedContinuation { done in ended.notify(queue: .global()) { done.resume() } }
        return state.withLock { ($0.reads, $0.torn) }
    }
}

import Git
import Glibc
import Publishing
import Synchronization

/// SIDEKICK_TOUCH_FILE.
final class TouchRecipient: Recipient {
    let hook = Hook.touch
    private let path: String
    private let publisher: Publisher
    private let executor: GitExecutor
    private let isDue = Atomic(false)

    init(path: String, publisher: Publisher, executor: GitExecutor) {
        (self.path, self.publisher, self.executor) = (path, publisher, executor)
    }

    /// Something was published.
    func note() { isDue.store(true, ordering: .relaxed) }

    func tell() async throws -> Bool {
        let (publisher, isNew) = (publisher, isDue.exchange(false, ordering: .relaxed))
        guard let published = try await executor.run({ try publisher.published() }) else { return false }
        var file = stat()
        // What was published by a process that was killed is younger than the file.
        guard isNew || stat(path, &file) != 0 || Int64(file.st_mtim.tv_sec) < published.since else { return false }
        do {
            try touch()
        } catch {
            note()
            throw error
        }
        return true
    }

    private func touch() throws(HookFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o644)
        defer { close(descriptor) }
        guard descriptor >= 0, futimens(descriptor, nil) == 0 else {
            throw HookFailure("\(path): \(String(cString: strerror(errno)))")
        }
    }
}

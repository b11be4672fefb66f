import FoundationEssentials
import Git
import Glibc
import Platform
import Publishing

/// SIDEKICK_TOUCH_FILE.
struct TouchTarget: HookTarget {
    let hook = Hook.touch
    let path: String
    let ledger: HookLedger
    let publisher: Publisher
    let executor: GitExecutor

    func tell() async throws -> Bool {
        let publisher = publisher
        guard let name = try await executor.run({ try publisher.published()?.name }),
            ledger[hook].told != name || access(path, F_OK) != 0
        else { return false }
        try touch()
        ledger.change(hook) { $0.told = name }
        return true
    }

    private func touch() throws(HookFailure) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        if !folder.isEmpty, access(folder, F_OK) != 0 {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw HookFailure("\(folder): \(error.fileFailure)")
            }
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o644)
        defer { close(descriptor) }
        guard descriptor >= 0, futimens(descriptor, nil) == 0 else {
            throw HookFailure("\(path): \(String(cString: strerror(errno)))")
        }
    }
}

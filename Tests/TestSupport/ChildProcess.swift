public import Foundation
import Synchronization

/// A child with its own process group. (Foundation's `Process` lets children inherit the
/// sockets by which it learns of its other children's ends, and then waits for a daemon instead.)
public final class ChildProcess: Sendable {
    /// Its process id, and that of its group.
    public let pid: pid_t
    private let end: End

    /// `posix_spawn_file_actions_addclosefrom_np`, of glibc 2.34 and later: Swift's module of glibc leaves it out.
    private static let addCloseFrom = unsafeBitCast(
        dlsym(nil, "posix_spawn_file_actions_addclosefrom_np"),
        to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self)

    /// How it ended, found out by a thread of its own: tests that block others' tasks do not delay the clock.
    private final class End: Sendable {
        let value = Mutex<(status: Int32, time: Date)?>(nil)
        let done = DispatchGroup()

        init() { done.enter() }

        func wait(for pid: pid_t) {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
            value.withLock { $0 = (code, Date()) }
            done.leave()
        }
    }

    /// Starts a program that is found by PATH.
    ///
    /// - Parameter environment: all of its environment; `nil` is ours.
    public init(
        _ arguments: [String], in folder: String? = nil, environment: [String: String]? = nil,
        input: String = "/dev/null", output: String = "/dev/null", error: String = "/dev/null"
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, error, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        // Other tests open files at the same time, Foundation without O_CLOEXEC: a file that a daemon inherits keeps its
        // blocks on a small disk after it was removed.
        _ = Self.addCloseFrom(&actions, 3)
        let arguments = folder.map { ["env", "--chdir=\($0)"] + arguments } ?? arguments
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A test runner may ignore or block signals; a child must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let variables = (environment ?? ProcessInfo.processInfo.environment).map { "\($0)=\($1)" }
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = variables.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw TestFailure("\(arguments[0]): \(String(cString: strerror(code)))") }
        self.pid = pid
        let end = End()
        self.end = end
        Thread.detachNewThread { [pid] in end.wait(for: pid) }
    }

    deinit { if status == nil { kill() } }

    /// How it ended: its exit status, or 128 and the signal; `nil` while it runs.
    public var status: Int32? { end.value.withLock { $0?.status } }

    /// When it ended.
    public var endTime: Date? { end.value.withLock { $0?.time } }

    /// Waits for its end on this thread.
    public func waitForEnd() -> Int32 {
        end.done.wait()
        return status ?? -1
    }

    /// Sends a signal.
    public func send(_ signal: Int32) {
        if status == nil { Foundation.kill(pid, signal) }
    }

    /// Kills it with what it started.
    public func kill() {
        Foundation.kill(-pid, SIGKILL)
        _ = waitForEnd()
    }
}

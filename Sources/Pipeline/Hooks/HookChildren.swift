import CLinux
import Glibc
import Synchronization

/// The process of one run of a hook and those that it starts: they end with the run, and with this process.
final class HookChildren: Sendable {
    private struct State {
        /// Runs that have a child, or will have one: somebody waits for it.
        var runs = 0
        var groups: Set<pid_t> = []
    }

    private static let all = Mutex(State())
    private let group = Mutex<pid_t?>(nil)

    /// Before the process is started.
    init() { Self.all.withLock { $0.runs += 1 } }

    func begin(_ group: pid_t) {
        self.group.withLock { $0 = group }
        Self.all.withLock { _ = $0.groups.insert(group) }
    }

    /// Ends what is left of them.
    func end() {
        let group = group.withLock { $0 }
        Self.all.withLock { all in
            all.runs -= 1
            guard let group else { return }
            all.groups.remove(group)
            kill(-group, SIGKILL)
        }
    }

    /// Ends those of every run, before this process ends as it is.
    static func killAll() { all.withLock { for group in $0.groups { kill(-group, SIGKILL) } } }

    /// As process 1 of a container this one inherits every process that loses its parent, and nobody else would take note of
    /// their ends. Only between passes, and while no hook runs: a child that somebody waits for would be taken from him. Elsewhere
    /// every child is one that somebody waits for.
    static func reapZombies() {
        guard getpid() == 1 || sidekick_is_subreaper() != 0 else { return }
        all.withLock { all in
            guard all.runs == 0 else { return }
            while waitpid(-1, nil, WNOHANG) > 0 {}
        }
    }
}

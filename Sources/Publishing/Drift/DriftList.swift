import Git
import Synchronization

/// Paths of the visible tree that are not what was published, until a pass has made them anew.
final class DriftList: Sendable {
    private struct State {
        var paths: [TreePath] = []
        var repaired = 0
    }

    private let destination: Destination
    private let state = Mutex(State())

    init(_ destination: Destination) { self.destination = destination }

    var paths: [TreePath] { state.withLock { $0.paths } }

    /// How many paths were made anew.
    var repaired: Int { state.withLock { $0.repaired } }

    /// Takes over what the process before could not mend any more.
    func restore() throws {
        // What cannot be read is found by the next verification.
        if let known = try? DriftFile(destination).read() { try note(known) }
    }

    /// From now on the next pass makes these paths anew, whatever it finds at the remote.
    ///
    /// - Parameter isHidden: whether no walk of `lstat` would find them: the next process is told, too.
    func note(_ paths: [TreePath], isHidden: Bool = false) throws {
        guard !paths.isEmpty else { return }
        let all = state.withLock {
            $0.paths += Set(paths).subtracting($0.paths)
            return $0.paths
        }
        if isHidden { try DriftFile(destination).write(all) }
    }

    /// A tree is visible that has these paths anew. What was noted since it was made may be in it still, through files that it
    /// shares with the one before.
    func end(of mended: [TreePath]) {
        let mended = Set(mended)
        let rest = state.withLock { state in
            let rest = state.paths.filter { !mended.contains($0) }
            state.repaired += state.paths.count - rest.count
            state.paths = rest
            return rest
        }
        do {
            if rest.isEmpty { try DriftFile(destination).remove() } else { try DriftFile(destination).write(rest) }
        } catch {
            // It says too much then: something is made anew once more.
        }
    }
}

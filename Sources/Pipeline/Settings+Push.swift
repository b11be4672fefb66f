import Git
import Upstream

extension Settings {
    /// Whether a push may change what is published.
    ///
    /// - Parameter advertised: the full name of what is followed, when the remote has told it.
    public func concerns(_ push: Push, advertised: String?, served: String?) -> Bool {
        let name = ReferenceName(push.ref)
        return switch upstream.ref {
        case .head:
            // It may have become the default branch since it was asked.
            push.defaultBranch.map { ReferenceName("refs/heads/" + $0) } == name
                || advertised.map { ReferenceName($0) } == name
                // Where it is not told which branch that is, any may be.
                || (push.defaultBranch == nil && (advertised == nil || advertised == "HEAD"))
        case .name(let wanted):
            ["", "refs/", "refs/heads/", "refs/tags/"].contains { prefix in
                ReferenceName(bytes: Array(prefix.utf8) + wanted.bytes) == name
            }
        case .versions: push.ref.hasPrefix("refs/tags/")
        // It never changes, but it may not have been there.
        case .commit(let id): served != id.description
        }
    }
}

import Platform
import Git
import Upstream

/// What a server says was pushed.
public struct Push: Sendable, Equatable {
    /// The full name of the reference.
    public var ref: String
    /// What it names now; `nil` where that is not told, and where it is gone.
    public var commit: String?
    /// The short name of the server's default branch, where that is told.
    public var defaultBranch: String?

    /// Makes one.
    public init(ref: String, commit: String?, defaultBranch: String? = nil) {
        (self.ref, self.commit, self.defaultBranch) = (ref, commit, defaultBranch)
    }
}

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

/// A push that a server told of, until its remote shows it: some tell before all of their machines know.
struct ExpectedPush {
    let commit: ObjectID
    /// What the remote named before.
    let before: ObjectID?
    /// Until it is asked again.
    private var pauses: ArraySlice<Duration> = [.seconds(1), .seconds(2), .seconds(4)]

    init(_ commit: ObjectID, before: ObjectID?) { (self.commit, self.before) = (commit, before) }

    /// - Parameter shown: what it names now.
    /// - Returns: the time until it is asked again; `nil` when there is no reason to, any more.
    mutating func pause(after shown: ObjectID?) -> Duration? {
        // Another commit than before may be newer than this one.
        guard shown != commit, shown == before else { return nil }
        return pauses.popFirst()
    }
}

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

/// Asks for a pass when something was pushed, and again when the remote does not show it yet: some servers tell of a push
/// before all of their machines know of it.
public actor PushHandler {
    private let journal: Journal
    private let doorbell: Doorbell
    private var follower: Task<Void, Never>?
    /// Seconds until it is asked again.
    private let pauses: [Double]

    /// Makes one.
    public init(journal: Journal, doorbell: Doorbell, pauses: [Double] = [1, 2, 4]) {
        (self.journal, self.doorbell, self.pauses) = (journal, doorbell, pauses)
    }

    deinit { follower?.cancel() }

    /// - Parameter commit: what the remote should name; the newest push counts.
    public func receive(_ commit: String?) {
        follower?.cancel()
        let (journal, doorbell, pauses) = (journal, doorbell, pauses)
        let number = journal.lastBegun
        doorbell.ring(.webhook)
        guard let commit else { return follower = nil }
        follower = Task {
            var (number, rest) = (number, pauses[...])
            while let attempt = await journal.pass(after: number) {
                number = attempt.number
                // One that failed is repeated by itself.
                if attempt.result == .failed { continue }
                // Another commit than before may be newer than this one.
                let shown = journal.advertised?.commit
                guard shown != commit, shown == attempt.advertisedBefore, let pause = rest.popFirst(),
                    (try? await Alarm.wait(pause)) != nil
                else { return }
                number = journal.lastBegun
                doorbell.ring(.webhook)
            }
        }
    }
}

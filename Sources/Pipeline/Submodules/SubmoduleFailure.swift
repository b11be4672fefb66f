import Git
import Platform
import Upstream

/// A submodule that cannot be had: nothing is published without it.
struct SubmoduleFailure: Error {
    /// Where it stands in the tree.
    let path: TreePath
    /// Where its repository is.
    let address: String
    let reason: any Error
}

extension SyncError {
    init(_ failure: SubmoduleFailure, at stage: Stage) {
        let inner = SyncError(failure.reason, at: stage)
        let address = failure.address.printable(limit: 200)
        self.init(
            stage: stage, cause: "the submodule \(failure.path) of \(address): \(inner.cause)",
            remedy: failure.remedy ?? inner.remedy, recovery: inner.recovery, exitCode: inner.exitCode,
            retryAfter: inner.retryAfter)
    }
}

extension SubmoduleFailure {
    /// In place of what is to be done for the repository that is followed.
    fileprivate var remedy: String? {
        switch reason {
        case UpstreamError.refMissing, UpstreamError.undelivered:
            "push that commit to the submodule's repository, or let the submodule name another one"
        case UpstreamError.authentication, UpstreamError.repositoryNotFound, UpstreamError.forbidden:
            "list a login for it in SIDEKICK_CREDENTIALS_FILE, or set SIDEKICK_SUBMODULES=off"
        case UpstreamError.sshLogin:
            "list a key for it in SIDEKICK_SSH_KEYS_FILE, or set SIDEKICK_SUBMODULES=off"
        default: nil
        }
    }
}

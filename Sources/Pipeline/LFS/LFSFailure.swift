import Git
import Platform
import Upstream

/// Objects of Git LFS that cannot be had: nothing is published without them.
struct LFSFailure: Error {
    /// A file that needs one of them.
    let path: TreePath
    let reason: any Error
}

extension SyncError {
    init(_ failure: LFSFailure, at stage: Stage) {
        let inner = SyncError(failure.reason, at: stage)
        self.init(
            stage: stage, cause: "\(failure.path) of Git LFS: \(inner.cause)", remedy: failure.remedy ?? inner.remedy,
            recovery: inner.recovery, exitCode: inner.exitCode, retryAfter: inner.retryAfter)
    }

    init(_ error: LFSError, at stage: Stage) {
        let (recovery, code): (Recovery, ExitStatus) =
            switch error {
            case _ where error.isTransient: (.retry, .unavailable)
            case .missing, .otherServer: (.fixRemote, .dataError)
            default: (.fixConfiguration, .unavailable)
            }
        self.init(
            stage: stage, cause: error.description, remedy: error.remedy, recovery: recovery, exitCode: code)
    }
}

extension LFSFailure {
    /// In place of what is to be done for the repository that is followed.
    fileprivate var remedy: String? {
        switch reason {
        case UpstreamError.authentication, UpstreamError.forbidden:
            "list a login for the server of Git LFS in SIDEKICK_CREDENTIALS_FILE, or set SIDEKICK_LFS=off to publish pointers"
        default: nil
        }
    }
}

import Git
import Glibc
import Publishing
import Platform
import Upstream

/// The stages of a pass, by the names that logs, metrics and documents use.
public enum Stage: String, Sendable, Codable, CaseIterable {
    case configure, discover, fetch, trust, materialize, gate, publish, report
}

/// A pass that failed: where, why, and what mends it.
public struct SyncError: Error, Sendable, CustomStringConvertible {
    /// What has to happen before a pass can succeed.
    public enum Recovery: String, Sendable, Codable {
        /// Nothing: the next pass may well work.
        case retry
        /// The local store is damaged and has to be fetched anew.
        case rebuildStore
        /// A person must change the configuration of this machine.
        case fixConfiguration
        /// A person must change something at the remote.
        case fixRemote
    }

    /// Where it failed.
    public let stage: Stage
    /// Why, in one sentence; what others said in it is escaped.
    public let cause: String
    /// What a person can do.
    public let remedy: String
    /// What has to happen.
    public let recovery: Recovery
    /// The documented status of `--once`.
    public let exitCode: ExitStatus
    /// How long the remote asked to be left alone.
    public private(set) var retryAfter: Duration?

    /// One line for people.
    public var description: String { "\(stage.rawValue) failed: \(cause); \(remedy)" }

    /// Makes a failure of its parts.
    public init(
        stage: Stage, cause: String, remedy: String, recovery: Recovery, exitCode: ExitStatus,
        retryAfter: Duration? = nil
    ) {
        self.retryAfter = retryAfter
        self.stage = stage
        self.cause = cause
        self.remedy = remedy
        self.recovery = recovery
        self.exitCode = exitCode
    }

    /// What went wrong, in one sentence, where no stage is to be named.
    public static func cause(of error: any Error) -> String { SyncError(error, at: .report).cause }

    /// Tells what an error of another room means for a pass.
    public init(_ error: any Error, at stage: Stage) {
        switch error {
        case let error as SyncError: self = error
        case let error as UpstreamError: self.init(error, at: stage)
        case let error as PublishingError: self.init(error, at: stage)
        case let error as DiskError: self.init(error, at: stage)
        case let error as GitError: self.init(error, at: stage)
        case let error as SystemError:
            self.init(
                stage: stage, cause: error.description, remedy: "check the limits of this process", recovery: .retry,
                exitCode: .unavailable)
        case let error as IncompleteCommit:
            self.init(
                stage: stage,
                cause: "the remote did not send all of commit \(error.commit): \(error.reason.printable())",
                remedy: "check the repository at the server with git fsck; the next pass asks again", recovery: .retry,
                exitCode: .unavailable)
        case let error as SubmoduleFailure: self.init(error, at: stage)
        case let error as LFSFailure: self.init(error, at: stage)
        case let error as LFSError: self.init(error, at: stage)
        case let error as MissingObjects:
            self.init(
                stage: stage,
                cause: "objects of Git LFS are not here: \(error.places.count), the first for \(error.places[0].path)",
                remedy: "start sidekick, which fetches them", recovery: .retry, exitCode: .unavailable)
        case let error as TreeTooLarge:
            self.init(
                stage: stage,
                cause: error.bound == .depth
                    ? "the commit has folders nested too deep at \(TreePath(bytes: Array(error.path.bytes.prefix(80))))"
                    : "the commit has too many folders",
                remedy: "publish less of it", recovery: .fixRemote, exitCode: .dataError)
        default:
            self.init(
                stage: stage, cause: String(describing: error).printable(), remedy: "please report this as a bug",
                recovery: .retry, exitCode: .software)
        }
    }

    private init(_ error: UpstreamError, at stage: Stage) {
        let recovery: Recovery =
            switch error {
            case _ where error.isTransient: .retry
            case .noCommits, .headNowhere, .refMissing, .notACommit, .rewritten: .fixRemote
            default: .fixConfiguration
            }
        let code: ExitStatus =
            error.isAuthentication
            ? .noPermission : error.isTransient ? .unavailable : recovery == .fixRemote ? .dataError : .unavailable
        self.init(
            stage: stage, cause: error.description, remedy: error.remedy, recovery: recovery, exitCode: code)
        retryAfter = error.retryAfter
    }

    private init(_ error: PublishingError, at stage: Stage) {
        let (recovery, code): (Recovery, ExitStatus) =
            switch error {
            case .destinationUnusable: (.fixConfiguration, .cannotCreate)
            case .destinationBusy, .stateBusy: (.fixConfiguration, .temporaryFailure)
            case .spaceMissing: (.retry, .cannotCreate)
            case .nothingPublished: (.fixConfiguration, .unhealthy)
            case .newerState: (.fixConfiguration, .cannotCreate)
            case .subdirectoryMissing, .subdirectoryNoFolder, .entryRefused, .linkRefused, .limitExceeded,
                .pathsTooLong:
                (.fixRemote, .dataError)
            }
        self.init(
            stage: stage, cause: error.description, remedy: error.remedy, recovery: recovery, exitCode: code)
    }

    private init(_ error: DiskError, at stage: Stage) {
        self.init(
            disk: error.description, at: stage, isOutOfSpace: error.isOutOfSpace, isPermission: error.isPermission,
            Ownership(of: error.path))
    }

    private init(
        disk cause: String, at stage: Stage, isOutOfSpace: Bool, isPermission: Bool, _ ownership: Ownership?
    ) {
        let remedy =
            if isOutOfSpace {
                "free space on that file system, or enlarge it"
            } else if cause.contains(String(cString: strerror(EROFS))) {
                "mount it writable, or let this service write there (systemd: ReadWritePaths)"
            } else if isPermission {
                ownership?.remedy ?? "let uid \(currentUser) write there"
            } else {
                "check the disk and the mount"
            }
        self.init(
            stage: stage, cause: cause, remedy: remedy, recovery: isPermission ? .fixConfiguration : .retry,
            exitCode: isPermission || isOutOfSpace ? .cannotCreate : .ioError)
    }

    private init(_ error: GitError, at stage: Stage) {
        let cause = "the git store: \(error.description.printable())"
        if let limit = error.exceeded {
            self.init(limit, at: stage)
        } else if error.isMalformed {
            self.init(
                stage: stage, cause: "the commit is malformed: \(error.message.printable())",
                remedy: "push a commit that git fsck accepts", recovery: .fixRemote, exitCode: .dataError)
        } else if error.isLocalDisk {
            self.init(
                disk: cause, at: stage, isOutOfSpace: error.isOutOfSpace, isPermission: error.isPermission,
                Ownership(namedIn: error.message))
        } else {
            self.init(
                stage: stage, cause: cause, remedy: "the store is fetched anew by the next pass",
                recovery: .rebuildStore, exitCode: .software)
        }
    }
}

extension SyncError {
    private init(_ limit: ExceededLimit, at stage: Stage) {
        let setting = limit.kind == .tree || limit.kind == .objects ? "SIDEKICK_MAX_FILES" : "SIDEKICK_MAX_BLOB"
        let found =
            switch limit.kind {
            case .objects: "\(limit.found) objects in one pack"
            case .memory: "an object that takes \(limit.found) bytes of memory"
            case .blob, .tree: "a \(limit.what) of \(limit.found) bytes"
            }
        self.init(
            stage: stage, cause: "the commit has \(found), \(setting) allows \(limit.allowed)",
            remedy: "raise \(setting) if the repository is meant to be that large", recovery: .fixRemote,
            exitCode: .dataError)
    }
}

/// The exit statuses, from sysexits.h where one fits.
public enum ExitStatus: Int32, Sendable, Codable, CaseIterable {
    case success = 0
    /// `health`: not healthy.
    case unhealthy = 1
    case usage = 64
    case dataError = 65
    case unavailable = 69
    case software = 70
    case cannotCreate = 73
    case ioError = 74
    case temporaryFailure = 75
    case noPermission = 77

    /// What an operator makes of it.
    public var meaning: String {
        switch self {
        case .success: "published, or nothing to do; as a daemon: asked to stop"
        case .unhealthy: "health: the loop does not run"
        case .usage: "a setting is missing or wrong"
        case .dataError: "the repository cannot be published: no such ref, no such folder, a refused or too large tree"
        case .unavailable: "the remote cannot be reached, is silent, or has no such repository"
        case .software: "the store was damaged, or sidekick itself failed"
        case .cannotCreate: "DESTINATION cannot be used: a file, no permission, no space"
        case .ioError: "reading or writing the disk failed"
        case .temporaryFailure:
            "another sidekick publishes there, the pass took longer than SIDEKICK_DEADLINE, a hook failed, or a signal ended --once"
        case .noPermission: "the remote refused the login"
        }
    }
}

import CLibgit2
import Glibc

/// A libgit2 call that failed, with what libgit2 said about it at that moment.
public struct GitError: Error, Sendable, CustomStringConvertible {
    /// The C function, such as `git_blob_lookup`.
    public let call: String
    /// The value that it returned: one of `git_error_code`, negative.
    public let code: Int32
    /// A file could not be read or written on this machine: libgit2's class `GIT_ERROR_OS`.
    public let isLocalDisk: Bool
    /// The object itself is not one that git would have made: whoever pushed it must mend it.
    public let isMalformed: Bool
    /// It is about objects or references.
    let isAboutObjects: Bool
    /// Something is larger than it may be: nothing is damaged.
    public let exceeded: ExceededLimit?
    /// The repository's format is one that cannot be read.
    public internal(set) var unsupported: UnsupportedExtension?
    /// libgit2's own message. It may repeat what a server said: escape it before a person sees it.
    public let message: String

    init(
        call: String, code: Int32, message: String, isLocalDisk: Bool = false, isMalformed: Bool = false,
        isAboutObjects: Bool = false, exceeded: ExceededLimit? = nil
    ) {
        self.call = call
        self.code = code
        self.message = message
        self.isLocalDisk = isLocalDisk
        self.isMalformed = isMalformed
        self.isAboutObjects = isAboutObjects
        self.exceeded = exceeded
    }

    init(call: String, exceeding limit: ExceededLimit) {
        self.init(
            call: call, code: -1, message: "\(limit.what) is too large: \(limit.found), not \(limit.allowed)",
            exceeded: limit)
    }

    static func malformed(_ call: String, _ message: String) -> GitError {
        GitError(call: call, code: -1, message: message, isMalformed: true)
    }

    /// A call of the system's that failed on this machine, by errno.
    static func disk(_ what: String, _ path: String) -> GitError {
        let reason = String(cString: strerror(errno))
        return GitError(call: "store", code: -1, message: "\(what) \(path): \(reason)", isLocalDisk: true)
    }

    /// Something that must be here is not.
    public static func missing(_ message: String) -> GitError {
        GitError(call: "store", code: GIT_ENOTFOUND.rawValue, message: message)
    }

    /// What is read or written may be damaged: it is neither the disk that refuses, nor what somebody pushed, nor a limit.
    public var isDamage: Bool { !isLocalDisk && !isMalformed && exceeded == nil }

    /// The same failure as one of the local store.
    public var ofStore: GitError { GitError(call: "store", code: code, message: message) }

    /// The message with the call that it came from.
    public var description: String { "\(message) (\(call): \(code))" }

    /// The disk or a quota is full.
    public var isOutOfSpace: Bool { isCaused(by: ENOSPC, EDQUOT) }
    /// This user may not do that there, or nobody may.
    public var isPermission: Bool { isCaused(by: EACCES, EPERM, EROFS) }

    /// libgit2 hands out no errno: it ends the message with what strerror(3) says of it, as we do.
    private func isCaused(by codes: Int32...) -> Bool {
        isLocalDisk && codes.contains { message.hasSuffix(String(cString: strerror($0))) }
    }

    /// The object, reference or repository does not exist.
    public var isNotFound: Bool { code == GIT_ENOTFOUND.rawValue }
    /// The name fits more than one thing, or is not one that git allows.
    public var isInvalidName: Bool { code == GIT_EINVALIDSPEC.rawValue || code == GIT_EAMBIGUOUS.rawValue }
}

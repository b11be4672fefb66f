import Glibc

/// A system call on a file that failed.
public struct DiskError: Error, Sendable, CustomStringConvertible {
    /// What was tried, as a verb phrase: `create`, `rename`, `read the folder`.
    public let operation: String
    /// The path that it was tried on, for people.
    public let path: String
    /// The `errno` of the call.
    public let code: Int32

    /// Made right after the call, while `errno` is still its own.
    init(_ operation: String, _ path: String, code: Int32 = errno) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// One sentence: what could not be done, to what, and why.
    public var description: String { "cannot \(operation) \(path): \(String(cString: strerror(code)))" }

    /// Waiting or freeing space may mend it.
    public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }
    /// These bytes are not to be had, whatever else works.
    var isUnreadable: Bool { code == EACCES || code == EPERM || code == EIO }
    /// The process may not write there.
    public var isPermission: Bool { code == EACCES || code == EPERM || code == EROFS }
}

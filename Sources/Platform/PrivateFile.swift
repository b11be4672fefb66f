import Glibc

/// Files that nobody else may read, at any moment of their lives.
public enum PrivateFile {
    /// Replaces a file in one step.
    ///
    /// - Throws: `Failure`.
    public static func replace(_ path: String, with bytes: some Collection<UInt8>) throws {
        let temporary = path + ".new"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(temporary) }
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else {
                let error = failure(temporary)
                close(file)
                unlink(temporary)
                throw error
            }
            rest = rest.dropFirst(max(count, 0))
        }
        close(file)
        guard rename(temporary, path) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> Failure { Failure(path: path, code: errno) }

    /// A system call that failed.
    public struct Failure: Error, CustomStringConvertible {
        let path: String
        let code: Int32

        /// The path and the cause.
        public var description: String { "\(path): \(String(cString: strerror(code)))" }
    }
}

public import Glibc

/// Files that are replaced in one step: whoever reads one sees all of the old bytes or all of the new ones.
public enum WholeFile {
    /// - Parameters:
    ///   - mode: that of the new file from its first byte on, whatever the umask says; without one of others nobody else can
    ///     read it at any moment.
    ///   - isDurable: whether it is on the disk when this returns.
    /// - Throws: `Failure`; the old file is there then, or the new one that could not be synced.
    public static func replace(
        _ path: String, with bytes: some Collection<UInt8>, mode: mode_t = 0o600, isDurable: Bool = false
    ) throws(Failure) {
        DiskThread.check()
        let temporary = path + temporarySuffix
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(path: path) }
        do throws(Failure) {
            try fill(file, Array(bytes), path)
            guard fchmod(file, mode) == 0, !isDurable || fsync(file) == 0, rename(temporary, path) == 0 else {
                throw Failure(path: path)
            }
            close(file)
        } catch {
            close(file)
            unlink(temporary)
            throw error
        }
        if isDurable { try sync(folderOf: path) }
    }

    /// The most that `read` takes, in bytes: of a device there is no end.
    static let maxBytes = 16 << 20

    /// All bytes of a small file, wherever a link leads.
    ///
    /// - Throws: `Failure`, of EFBIG for more than 16 MiB.
    ///
    /// Not by Foundation, whose `String(contentsOfFile:)` never gives back what an empty file took (Swift 6.3.1).
    public static func read(_ path: String) throws(Failure) -> [UInt8] {
        DiskThread.check()
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(path: path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Failure(path: path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= maxBytes else { throw Failure(path: path, code: EFBIG) }
        }
    }

    /// The same as text, without the mark that some editors put before UTF-8; `nil` for what cannot be read or is none.
    public static func text(_ path: String) -> String? {
        guard let bytes = try? read(path) else { return nil }
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        return String(validating: bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...], as: UTF8.self)
    }

    /// What the name of a file ends in that is about to be renamed.
    public static let temporarySuffix = ".new"

    private static func fill(_ file: Int32, _ bytes: [UInt8], _ path: String) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else { throw Failure(path: path) }
            rest = rest.dropFirst(max(count, 0))
        }
    }

    private static func sync(folderOf path: String) throws(Failure) {
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let folder = open(String(path[..<name]) + "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Failure(path: path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Failure(path: path) }
    }

    /// A system call that failed.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        let path: String
        let code: Int32

        init(path: String, code: Int32 = errno) {
            self.path = path
            self.code = code
        }

        /// The path and the cause.
        public var description: String { "\(path): \(String(cString: strerror(code)))" }
    }
}

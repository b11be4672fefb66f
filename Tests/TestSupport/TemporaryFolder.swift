import Foundation

/// A folder that is gone when the last reference to it is.
public final class TemporaryFolder: Sendable {
    /// Absolute, without links.
    public let path: String

    /// Readable by every user, as a web server's worker is another one.
    ///
    /// - Parameter base: where; `nil` is where temporary files belong.
    public init(in base: String? = nil) throws {
        let base = base ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(base)/sidekick-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestFailure("mkdtemp: \(String(cString: strerror(errno)))") }
        chmod(made, 0o755)
        guard let resolved = realpath(made, nil) else { throw TestFailure("realpath") }
        defer { free(resolved) }
        path = String(cString: resolved)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A path in the folder.
    public func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// Writes a file, with the folders above it.
    public func write(_ text: String, to name: String) throws {
        let file = self(name)
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    /// A file's text.
    public func read(_ name: String) throws -> String { try String(contentsOfFile: self(name), encoding: .utf8) }

    /// Whether anything is there, links not followed.
    public func has(_ name: String) -> Bool {
        var status = stat()
        return lstat(self(name), &status) == 0
    }

    /// The inode that a path leads to.
    public func inode(_ name: String) -> UInt64? {
        var status = stat()
        return stat(self(name), &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// Every path below a folder with its inode, size and mtime, links not followed.
    public func snapshot(_ name: String = "") throws -> [String: String] {
        var entries: [String: String] = [:]
        let root = name.isEmpty ? path : self(name)
        for case let entry as String in FileManager.default.enumerator(atPath: root) ?? .init() {
            var status = stat()
            guard lstat(root + "/" + entry, &status) == 0 else { continue }
            entries[entry] =
                "\(status.st_ino) \(status.st_mode) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
        }
        return entries
    }
}

/// What a test's own machinery could not do.
public struct TestFailure: Error, CustomStringConvertible {
    /// Why.
    public let description: String

    /// Makes a failure.
    public init(_ description: String) { self.description = description }
}

import Glibc

/// The modes of what is shown, whatever the umask and the defaults of the volume are.
enum FileModes {
    /// Of a folder.
    static let folder: mode_t = 0o755

    /// Of a file.
    static func file(isExecutable: Bool) -> mode_t { isExecutable ? 0o755 : 0o644 }
}

import CLinux
import Glibc
import Platform

/// A file in memory that only this user can read and that nobody can change (memfd_create(2), F_ADD_SEALS): for a secret that a
/// child is to open by a name. It never touches a disk, and is gone with the last of us.
final class SealedFile: Sendable {
    private let descriptor: Int32

    /// - Parameter isSealed: whether a child may not write to it.
    init(_ bytes: some Sequence<UInt8>, named name: String, isSealed: Bool = true) throws {
        descriptor = sidekick_memfd(name)
        // Closed by deinit from here on.
        guard descriptor >= 0 else { throw SystemError("make a file in memory") }
        let bytes = Array(bytes)
        guard fchmod(descriptor, 0o600) == 0, write(descriptor, bytes, bytes.count) == bytes.count,
            !isSealed || sidekick_seal(descriptor) == 0
        else { throw SystemError("fill a file in memory") }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Its name for a child, for as long as this lives.
    var path: String { "/proc/\(getpid())/fd/\(descriptor)" }

    /// What is in it now.
    func contents() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while bytes.count < 65_536 {
            let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

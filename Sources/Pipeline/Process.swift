import CLinux
import Glibc

/// The uid of this process, for messages.
var currentUser: UInt32 { geteuid() }

/// Where logs and progress go.
enum StandardError {
    /// One write(2), so that lines of several threads do not mix. A reader that is gone is no reason to stop.
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// The C heap, which libgit2 and zlib fill and empty at each pass.
public enum Heap {
    /// One arena: others grow and shrink by a system call for each inflated blob (13,000 of them for 20,400 files), and keep
    /// what they once had. A fixed threshold keeps the large trees of one pass from staying for good.
    public static func tune() {
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, 512 << 10)
        mallopt(M_TOP_PAD, 1 << 20)
        mallopt(M_TRIM_THRESHOLD, 8 << 20)
    }

    /// After work: what is free goes back to the system.
    static func giveBack() { malloc_trim(0) }
}

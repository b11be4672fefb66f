import FoundationEssentials
import Glibc

extension Error {
    /// Why a file could not be read or written, with its path and in the words of the C library: what Foundation throws
    /// prints itself as a dump that names neither.
    public var fileFailure: String {
        guard let error = self as? CocoaError, let cause = error.underlying as? POSIXError else { return "\(self)" }
        let reason = String(cString: strerror(cause.code.rawValue))
        return error.filePath.map { "\($0): \(reason)" } ?? reason
    }
}

public import Glibc

/// What this machine did not give: a thread, a descriptor, memory.
public struct SystemError: Error, Sendable, CustomStringConvertible {
    private let call: String
    private let code: Int32

    /// - Parameters:
    ///   - call: what was to be done, behind "cannot".
    ///   - code: as errno has it.
    public init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    /// One sentence.
    public var description: String { "cannot \(call): \(String(cString: strerror(code)))" }
}

import Platform
import Logging

/// Tells a failure once, then only that it goes on, and one line when it is over.
struct FailureLog {
    private let logger: Logger
    /// Failures in a row.
    private(set) var count = 0
    private var told = ""
    private var toldAt = 0.0
    private var since = 0.0
    private let now: @Sendable () -> Double

    /// A failure that goes on is told again after so many seconds.
    static let reminder = 3600.0

    init(logger: Logger, now: @escaping @Sendable () -> Double = wallSeconds) {
        self.logger = logger
        self.now = now
    }

    mutating func failed(_ error: SyncError) {
        count += 1
        if count == 1 { since = now() }
        let text = "\(error.stage) \(error.cause.withoutTemporaryNames)"
        guard text != told || now() - toldAt >= Self.reminder else {
            logger.debug("pass failed again", metadata: ["failures": "\(count)"])
            return
        }
        (told, toldAt) = (text, now())
        let level: Logger.Level = error.recovery == .retry || error.recovery == .rebuildStore ? .warning : .error
        logger.log(
            level: level, "pass failed, will retry",
            metadata: [
                "stage": "\(error.stage.rawValue)", "cause": "\(error.cause)", "remedy": "\(error.remedy)",
                "failures": "\(count)",
            ])
    }

    mutating func recovered() {
        guard count > 0 else { return }
        logger.notice("recovered", metadata: ["failures": "\(count)", "seconds": "\(Int(now() - since))"])
        (count, told) = (0, "")
    }
}

extension String {
    /// libgit2 makes up the name of a pack that it receives: the same failure must read the same.
    fileprivate var withoutTemporaryNames: String {
        guard let range = firstRange(of: "pack_git2_") else { return self }
        return String(self[..<range.upperBound] + self[range.upperBound...].drop { $0.isLetter || $0.isNumber })
    }
}

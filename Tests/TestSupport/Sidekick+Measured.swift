import Foundation

extension Sidekick {
    /// How one pass went.
    public struct Measured: Sendable, CustomStringConvertible {
        /// Its exit status; 137 when it was ended because it took too much memory or time.
        public let status: Int32
        /// Everything that it printed.
        public let log: String
        /// The most memory that it had at a time, in MB.
        public let peak: Int
        /// How long it took.
        public let seconds: Double

        /// Its last words of what went wrong.
        public var cause: Substring {
            log.firstMatch(of: /cause="((?:[^"\\]|\\.)*)"/)?.1 ?? ""
        }

        /// For a person who looks for what went wrong.
        public var description: String { "status \(status), \(peak) MB, \(seconds) s\n\(log)" }
    }

    /// The most memory that it has had at a time, in MB; `nil` when it has ended.
    public var peak: Int? {
        let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        return status?.firstMatch(of: /VmHWM:\s+([0-9]+) kB/).flatMap { Int($0.1) }.map { $0 >> 10 }
    }

    /// One pass that is watched from a thread of its own: however busy the other tests are, it is ended in time.
    ///
    /// - Parameters:
    ///   - ceiling: the megabytes above which it is ended.
    ///   - seconds: the time after which it is ended.
    public static func measured(
        _ arguments: [String], environment: [String: String] = [:], ceiling: Int = 1_000, within seconds: Double = 20
    ) async throws -> Measured {
        let sidekick = try Sidekick(arguments + ["--once"], environment: environment)
        let start = Date()
        let (ceiling, seconds) = (ceiling * Sanitizer.toll, seconds * Double(Sanitizer.toll))
        let peak = await withCheckedContinuation { done in
            Thread.detachNewThread {
                var peak = 0
                while sidekick.isRunning {
                    peak = max(peak, sidekick.peak ?? 0)
                    if peak > ceiling || Date().timeIntervalSince(start) > seconds { sidekick.send(SIGKILL) }
                    usleep(3_000)
                }
                done.resume(returning: peak)
            }
        }
        let time = (sidekick.endTime ?? Date()).timeIntervalSince(start)
        return Measured(status: try await sidekick.wait(), log: sidekick.log, peak: peak, seconds: time)
    }
}

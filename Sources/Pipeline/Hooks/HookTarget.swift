import Platform
import Logging

/// Somebody who is to know what is published. Told of the newest only: what comes while it is being told is one more time.
protocol HookTarget: Sendable {
    var hook: Hook { get }

    /// Tells it what it does not know yet.
    ///
    /// - Returns: whether there was anything.
    /// - Throws: `HookFailure`, `CancellationError`.
    func tell() async throws -> Bool
}

/// Tells one recipient, for as long as it takes.
struct RetryingTarget: Sendable {
    let recipient: any HookTarget
    let metrics: Metrics
    let logger: Logger
    /// Pauses after failures: as those between passes, from a second on.
    let schedule: Schedule
    /// Rung when there is something new, which ends such a pause.
    let bell = Latch<Void>()

    /// Until the task is cancelled.
    func run() async {
        var dice = SystemRandomNumberGenerator()
        var failures = 0
        var told = ""
        while !Task.isCancelled {
            var pause = Self.idle
            do {
                while try await deliver() {
                    if failures > 0 { logger.notice("hook recovered", metadata: metadata(["failures": "\(failures)"])) }
                    (failures, told) = (0, "")
                }
            } catch let failure as HookFailure {
                failures += 1
                pause = schedule.pause(failures: failures, using: &dice)
                // A failure that goes on is told once.
                logger.log(
                    level: failure.cause == told ? .debug : .warning, "hook failed, will retry",
                    metadata: metadata(["cause": "\(failure.cause)", "failures": "\(failures)"]))
                told = failure.cause
                // Whatever is new: what the other side asked for comes first.
                if let time = failure.retryAfter, (try? await Alarm.wait(time)) == nil { return }
            } catch {
                return
            }
            _ = await bell.wait(orUntil: { [pause] in try await Alarm.wait(pause) })
        }
    }

    /// Once, and no more.
    ///
    /// - Throws: `SyncError`, `CancellationError`.
    func runOnce() async throws {
        do {
            while try await deliver() {}
        } catch let failure as HookFailure {
            throw SyncError(
                stage: .report, cause: "\(recipient.hook.setting.name) \(failure.cause)",
                remedy: "what it is to be told of is published; the next run tells it again", recovery: .retry,
                exitCode: .temporaryFailure)
        }
    }

    private func deliver() async throws -> Bool {
        do {
            guard try await recipient.tell() else { return false }
            metrics.add(to: .hookRuns, recipient.hook.rawValue, Hook.Result.succeeded.rawValue)
            logger.debug("hook done", metadata: metadata([:]))
            return true
        } catch let failure as HookFailure {
            metrics.add(to: .hookRuns, recipient.hook.rawValue, failure.result.rawValue)
            throw failure
        } catch let error as CancellationError {
            throw error
        } catch {
            metrics.add(to: .hookRuns, recipient.hook.rawValue, Hook.Result.failed.rawValue)
            throw HookFailure(SyncError.cause(of: error))
        }
    }

    private func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
        more.merging(["hook": "\(recipient.hook.rawValue)"]) { $1 }
    }

    /// How long news is waited for when there is none; then it looks all the same.
    private static let idle = Duration.seconds(86_400)
}

import Dispatch
import Glibc
import Logging
import Pipeline
import ServiceLifecycle
import UnixSignals

/// The loop with its signals: SIGTERM and SIGINT end it, SIGHUP asks for a pass now.
struct Daemon {
    let loop: Loop
    let doorbell: Doorbell
    let once: Bool

    /// - Throws: `SyncError` when there is only one pass and it failed.
    func runUntilStopped() async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: BellService(doorbell: doorbell)),
                    .init(
                        service: LoopService(loop: loop, once: once),
                        successTerminationBehavior: .gracefullyShutdownGroup),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }))
        try await group.run()
    }
}

/// SIGHUP rings the bell.
private struct BellService: Service {
    let doorbell: Doorbell

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            doorbell.ring(.signal)
        }
    }
}

/// The loop, or one pass.
private struct LoopService: Service {
    let loop: Loop
    let once: Bool

    /// Seconds that a pass may take to let go. Then the process ends as it is: that is safe at any instruction.
    private static let patience = 1.5

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await cancelWhenGracefulShutdown {
                if once { try await loop.runOnce() } else { await loop.run() }
            }
        } onGracefulShutdown: { [once] in
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) {
                _exit(once ? ExitStatus.temporaryFailure.rawValue : ExitStatus.success.rawValue)
            }
        }
    }
}

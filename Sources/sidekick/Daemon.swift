import Dispatch
import Edge
import Glibc
import Logging
import Pipeline
import Platform
import ServiceLifecycle
import UnixSignals

/// The loop with its signals: SIGTERM and SIGINT end it, SIGHUP asks for a pass now.
struct Daemon {
    let loop: Loop
    let doorbell: Doorbell
    let once: Bool
    /// What is served over http, if anything.
    let edge: EdgeServer?
    /// Who has started the process and wants to hear that it is ready.
    let manager: ServiceManager?

    /// - Throws: `SyncError` when there is only one pass and it failed, and when nobody can listen.
    func runUntilStopped() async throws {
        // They end in the reverse order: questions are answered to the last.
        let edges = edge.map { [ServiceGroupConfiguration.ServiceConfiguration(service: EdgeService(edge: $0))] } ?? []
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: edges + [
                    .init(service: BellService(doorbell: doorbell)),
                    .init(
                        service: LoopService(loop: loop, once: once, edge: edge, manager: manager),
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

/// Listens before the first pass begins and until the last has ended.
private struct EdgeService: Service {
    let edge: EdgeServer

    func run() async throws { try await edge.run() }
}

/// The loop, or one pass.
private struct LoopService: Service {
    let loop: Loop
    let once: Bool
    let edge: EdgeServer?
    let manager: ServiceManager?

    /// Seconds that a pass may take to let go. Then the process ends as it is: that is safe at any instruction.
    private static let patience = 1.5

    func run() async throws {
        // Why it does not listen is its own to tell.
        guard (try? await edge?.listening()) != nil || edge == nil else { return }
        // Whether the remote answers is another question.
        manager?.tell("READY=1")
        try await withGracefulShutdownHandler {
            try await cancelWhenGracefulShutdown {
                if once { try await loop.runOnce() } else { await loop.run() }
            }
        } onGracefulShutdown: { [once, manager] in
            manager?.tell("STOPPING=1")
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) {
                Loop.abandon()
                _exit(once ? ExitStatus.temporaryFailure.rawValue : ExitStatus.success.rawValue)
            }
        }
    }
}

import Foundation
import Git
import Logging
import Platform
import Synchronization
import TestSupport
import Upstream

@testable import Pipeline

/// A remote in this process that says what it is told to, and hands out a repository's objects.
final class ScriptedRemote: Upstream, Remote {
    private struct State {
        var fault: (any Error)?
        var tip: String?
        var atFetch: (@Sendable () throws -> Void)?
        var discoveries = 0
        var fetches = 0
    }

    let source: GitRepository
    private let state = Mutex(State())
    private let executor = GitExecutor(label: "remote")

    init(_ source: GitRepository) { self.source = source }

    /// What it fails by from now on.
    var fault: (any Error)? {
        get { state.withLock { $0.fault } }
        set { state.withLock { $0.fault = newValue } }
    }

    /// The commit that it names; without one, the repository's own.
    var tip: String? {
        get { state.withLock { $0.tip } }
        set { state.withLock { $0.tip = newValue } }
    }

    /// Done once, while it is asked for objects.
    func atNextFetch(_ body: @escaping @Sendable () throws -> Void) { state.withLock { $0.atFetch = body } }

    var discoveries: Int { state.withLock { $0.discoveries } }
    var fetches: Int { state.withLock { $0.fetches } }

    func connected<Value: Sendable>(_ work: (any Remote) async throws -> Value) async throws -> Value {
        try await work(self)
    }

    func discover() async throws -> Advertisement {
        state.withLock { $0.discoveries += 1 }
        if let fault { throw fault }
        return Advertisement(ref: "refs/heads/main", commit: try ObjectID(hex: tip ?? source.head).unwrapped)
    }

    func fetch(_ request: FetchRequest, progress: @escaping @Sendable (TransferProgress) throws -> Void) async throws {
        let (path, commit) = (source.path, request.advertisement.commit)
        let body = state.withLock { state in
            state.fetches += 1
            defer { state.atFetch = nil }
            return state.atFetch
        }
        try await executor.run {
            let source = try Repository(opening: path)
            guard try source.contains(commit) else { throw UpstreamError.undelivered(commit: commit) }
            try request.store.openToFill().copy(commit, depth: request.depth, from: source, progress: progress)
        }
        try body?()
    }
}

extension Optional {
    fileprivate var unwrapped: Wrapped {
        get throws {
            guard let self else { throw TestFailure("it is nil") }
            return self
        }
    }
}

/// A clock that goes on when a test says so.
final class DrivenClock: Sendable {
    private struct State {
        var sleeper: (seconds: Double, continuation: CheckedContinuation<Void, any Error>)?
        var isCancelled = false
    }

    private let state = Mutex(State())

    func sleep(_ time: Duration) async throws {
        let seconds = time.inSeconds
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if !state.isCancelled { state.sleeper = (seconds, continuation) }
                    defer { state.isCancelled = false }
                    return state.isCancelled
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            take(orCancel: true)?.resume(throwing: CancellationError())
        }
    }

    private func take(orCancel: Bool = false) -> CheckedContinuation<Void, any Error>? {
        state.withLock { state in
            defer { state.sleeper = nil }
            if state.sleeper == nil, orCancel { state.isCancelled = true }
            return state.sleeper?.continuation
        }
    }

    /// The pause that the loop is in, in seconds, once it is in one.
    func pause() async throws -> Double {
        var found: Double?
        try await eventually(within: 60, "the loop rests") {
            found = self.state.withLock { $0.sleeper?.seconds }
            return found != nil
        }
        return found ?? 0
    }

    /// Waits until the loop is in such a pause.
    func rests(_ isMeant: (Double) -> Bool) async throws {
        try await eventually(within: 60, "the loop rests as long as it should") {
            self.state.withLock { $0.sleeper?.seconds }.map(isMeant) ?? false
        }
    }

    /// Ends that pause.
    @discardableResult
    func goOn() async throws -> Double {
        let seconds = try await pause()
        take()?.resume()
        return seconds
    }
}

/// A loop in this process, of a scripted remote, with a clock that a test drives.
final class LoopOnTrial: Sendable {
    let remote: ScriptedRemote
    let clock = DrivenClock()
    let doorbell = Doorbell()
    let journal = Journal()
    let folder: TemporaryFolder
    private let task: Task<Void, Never>
    private let log: Log

    convenience init(
        _ source: GitRepository, environment: [String: String] = [:], fault: (any Error)? = nil
    ) async throws {
        let remote = ScriptedRemote(source)
        remote.fault = fault
        try await self.init(remote, environment: environment, in: TemporaryFolder())
    }

    init(_ remote: ScriptedRemote, environment: [String: String] = [:], in folder: TemporaryFolder) async throws {
        self.folder = folder
        self.remote = remote
        let variables = [
            "REPOSITORY": "https://host/site.git", "DESTINATION": folder("www"), "DELAY": "60",
            "SIDEKICK_BACKOFF": "10m",
        ]
        let settings = try Settings.parse(flags: [:], environment: variables.merging(environment) { $1 }).settings
        let (clock, doorbell, journal) = (clock, doorbell, journal)
        let log = Log()
        task = Task {
            do {
                var surroundings = Loop.Surroundings(doorbell: doorbell, journal: journal, logger: log.logger)
                surroundings.remote = remote
                surroundings.sleep = { try await clock.sleep($0) }
                let loop = try await Loop.open(settings, in: surroundings)
                await loop.run()
            } catch {
                log.add("cannot begin: \(error)\n")
            }
        }
        self.log = log
    }

    private final class Log: Sendable {
        private let text = Mutex("")
        var all: String { text.withLock { $0 } }
        func add(_ line: String) { text.withLock { $0 += line } }
        var logger: Logger {
            Logger(label: "test") { _ in LineLogHandler(format: .text, level: .debug) { self.add($0) } }
        }
    }

    var said: String { log.all }
    func count(_ words: String) -> Int { log.all.components(separatedBy: words).count - 1 }
    var page: String? { try? folder.read("www/index.html") }

    /// Ends it, and waits for that.
    func end() async {
        task.cancel()
        await task.value
    }
}

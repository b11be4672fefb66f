import Git
public import Platform
public import Logging
import Publishing
import Upstream

extension Loop {
    /// What the process lends a loop.
    public struct Surroundings: Sendable {
        /// What starts a pass before its time.
        public var doorbell: Doorbell
        /// Takes what passes do.
        public var journal: Journal
        /// Takes notifications to SIDEKICK_NOTIFY_URL, when it is set.
        public var notifier: (any Notifier)?
        /// Who has started the process and wants to hear of passes.
        public var manager: ServiceManager?
        /// Takes log lines.
        public var logger: Logger
        /// Whether progress may be drawn over one line.
        public var isTerminal = false
        /// The program's.
        public var version: String
        /// In place of the remote at the address.
        var remote: (any Upstream)?
        /// Waits for the time between two passes.
        var sleep: @Sendable (Duration) async throws -> Void = { try await Alarm.wait($0) }

        /// Those of a process.
        public init(
            doorbell: Doorbell, journal: Journal, notifier: (any Notifier)? = nil, logger: Logger, version: String = "0"
        ) {
            (self.doorbell, self.journal, self.notifier) = (doorbell, journal, notifier)
            (self.logger, self.version) = (logger, version)
        }
    }

    /// Takes possession of DESTINATION and finishes what an earlier process left unfinished.
    ///
    /// - Throws: `SyncError` of the stage `configure`: nothing that a later pass could mend.
    public static func open(_ settings: Settings, in process: Surroundings) async throws -> Loop {
        try await LoopLane.run {
            do {
                return try await begin(settings, in: process)
            } catch {
                throw SyncError(error, at: .configure)
            }
        }
    }

    private static func begin(_ settings: Settings, in process: Surroundings) async throws -> Loop {
        let (logger, journal) = (process.logger, process.journal)
        let limits = settings.publishing.limits
        ObjectLimits(blob: limits.blob, files: limits.files).enforce()
        let executor = GitExecutor()
        let (publisher, notices) = try await executor.run {
            let destination = try Destination(settings.destination, state: settings.state)
            return try Publisher.open(destination, options: settings.publishing)
        }
        logger.report(notices)
        if settings.hooks.beforePublish != nil, publisher.layoutKind == .folder { throw Gate.hasNoTree }
        logger.info(
            "started",
            metadata: [
                "version": "\(process.version)", "repository": "\(settings.upstream.url)",
                "ref": "\(settings.upstream.ref)",
                "destination": "\(publisher.destination.path)", "layout": "\(publisher.layoutKind.rawValue)",
                "state": "\(publisher.destination.stateFolder)",
            ])
        journal.metrics.set(of: .build, process.version)
        let earlier = try? StatusReport.read(publisher.destination)
        if let earlier { journal.note(earlier) }
        journal.watchSteps { settings.publishing.heartbeat.silence }
        let look = GitExecutor(label: "sidekick.look")
        journal.lookForServed { await (try? look.run { publisher.isServing() }) ?? false }
        let loop = try Loop(
            settings, Deployment(publisher: publisher, executor: executor, journal: journal, logger: logger), process)
        // What is served meanwhile, while the first pass goes on.
        loop.status.tell(earlier?.status)
        loop.measure()
        return loop
    }

    private init(_ settings: Settings, _ deployment: Deployment, _ process: Surroundings) throws {
        var deployment = deployment
        let hooks = HookRunner(settings, deployment, notifier: process.notifier)
        deployment.hooks = hooks
        let (logger, traffic, background) = (process.logger, Traffic(), BackgroundTask())
        var options = settings.upstream
        options.agent = "sidekick/\(process.version)"
        let upstream =
            try process.remote
            ?? options.makeUpstream(on: deployment.executor, counting: traffic) {
                logger.warning("notice", metadata: ["what": "\($0)"])
            }
        let progress = ProgressReporter(logger: logger, terminal: process.isTerminal)
        deployment.lfs = LFSFetch(
            options: options, publisher: deployment.publisher, executor: deployment.executor, traffic: traffic,
            progress: progress, journal: deployment.journal, logger: logger)
        self.settings = settings
        self.hooks = hooks
        self.traffic = traffic
        self.background = background
        (publisher, executor, journal) = (deployment.publisher, deployment.executor, deployment.journal)
        (self.logger, doorbell, sleep) = (logger, process.doorbell, process.sleep)
        manager = process.manager
        heartbeat = settings.heartbeat.map {
            Heartbeat($0, like: options) { logger.debug("no heartbeat", metadata: ["cause": "\($0)"]) }
        }
        status = StatusFile(
            settings: settings, publisher: publisher, journal: journal, version: process.version)
        pass = Pass(
            settings: settings, upstream: upstream, deployment: deployment, progress: progress,
            gate: Gate(settings.hooks, deployment),
            trust: settings.trust.map {
                TrustCheck(settings: $0, publisher: deployment.publisher, executor: deployment.executor)
            },
            submodules: SubmoduleFetch(
                settings: settings, options: options, publisher: publisher, executor: executor, traffic: traffic,
                progress: progress, logger: logger),
            makeWay: { await background.stop() })
        orders = OrderBox(publisher.destination)
        desk = OrderHandler(deployment: deployment, ref: settings.upstream.ref.description)
    }
}

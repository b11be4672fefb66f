import FoundationEssentials
import Git
import Glibc
import Logging
import Publishing
import Synchronization
import Upstream

/// Keeps `status.json` true.
final class StatusFile: Sendable {
    private let settings: Settings
    private let publisher: Publisher
    private let version: String
    private let written = Mutex<Status?>(nil)

    init(settings: Settings, publisher: Publisher, version: String) {
        self.settings = settings
        self.publisher = publisher
        self.version = version
    }

    func note(_ outcome: Pass.Outcome, nextIn pause: Double?, logger: Logger) async {
        write(failure: nil, nextIn: pause, logger: logger)
    }

    func note(_ error: SyncError, failures: Int, nextIn pause: Double?, logger: Logger) async {
        let failure = Status.Failure(
            stage: error.stage, cause: error.cause, remedy: error.remedy, recovery: error.recovery, count: failures,
            last: timestamp(wallSeconds()))
        write(failure: failure, nextIn: pause, logger: logger)
    }

    private func write(failure: Status.Failure?, nextIn pause: Double?, logger: Logger) {
        let published = try? publisher.published()
        let status = Status(
            version: version, process: getpid(), repository: settings.upstream.url.description,
            ref: settings.upstream.ref.description, destination: publisher.destination.path,
            layout: publisher.layout.rawValue,
            published: published.map { Status.Tree($0) },
            hold: try? HoldFile(publisher.destination).read(), repaired: publisher.repaired, failure: failure,
            freshFor: published == nil ? nil : pause.map { max(freshFor, $0 + settings.deadline + 30) })
        let path = publisher.destination.statusFile
        do {
            if written.withLock({ $0 }) == status {
                guard utimensat(AT_FDCWD, path, nil, 0) != 0 else { return }
            }
            try Status.encode(status).write(to: URL(filePath: path), options: .atomic)
            chmod(path, 0o644)
            written.withLock { $0 = status }
        } catch {
            // On a full disk the time at least still says that the loop runs.
            utimensat(AT_FDCWD, path, nil, 0)
            logger.warning("status cannot be written", metadata: ["path": "\(path)", "cause": "\(error.fileFailure)"])
        }
    }

    /// The longest pause, the longest pass, and a little more for a machine that is busy.
    private var freshFor: Double {
        max(settings.delay * (1 + Schedule.jitter), max(settings.delay, settings.backoff)) + settings.deadline + 30
    }
}

extension Status.Tree {
    init(_ published: Published) {
        self.init(
            commit: published.commit.description, subdirectory: published.subdirectory,
            since: timestamp(Double(published.since)), files: published.files, bytes: published.bytes)
    }
}

extension Status {
    /// Corrects what a process that does not run can no longer: what is visible, and what is held.
    static func rewrite(_ destination: Destination, published: Published?) throws {
        guard var status = try StatusReport.read(destination)?.status else { return }
        status.published = published.map { Tree($0) }
        status.hold = try HoldFile(destination).read()
        try encode(status).write(to: URL(filePath: destination.statusFile), options: .atomic)
        chmod(destination.statusFile, 0o644)
    }

    static func encode(_ status: Status) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(status) + Data("\n".utf8)
    }
}

/// RFC 3339 in UTC, to the second.
func timestamp(_ seconds: Double) -> String {
    Date(timeIntervalSince1970: seconds.rounded(.down)).formatted(.iso8601)
}

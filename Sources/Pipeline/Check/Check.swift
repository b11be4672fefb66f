import Content
import Git
import Glibc
import Platform
import Publishing
import Trust
import Upstream

/// Looks at everything that a pass needs, before there is one: it connects and logs in, and writes, makes and locks nothing.
public struct Check: Sendable {
    let settings: Settings
    let executor = GitExecutor(label: "sidekick.check")
    private let warnings: [String]
    private let agent: String

    /// - Parameters:
    ///   - warnings: what is odd about the settings and no error.
    ///   - version: of the program.
    public init(_ settings: Settings, warnings: [String], version: String) {
        self.settings = settings
        self.warnings = warnings
        agent = "sidekick/\(version)"
    }

    /// One after the other, in the order in which a pass would need them.
    public func run() async -> [CheckItem] {
        let look = await Self.result {
            try await executor.run { [settings] in
                try Publisher.look(at: settings.destination, state: settings.state, options: settings.publishing)
            }
        }
        var items = [CheckItem.ok("settings", (["they are well-formed"] + warnings).joined(separator: "; "))]
        items.append(destination(look))
        let (remote, target) = await remote()
        items += remote
        let keys = await keys()
        let signature = keys?.verdict == .failed ? nil : await signature(look, target)
        items += [keys, signature].compactMap { $0 }
        items.append(await folder(look, target?.commit))
        // Nothing that a commit names is asked for before somebody who is trusted has signed it. A daemon may bring it meanwhile.
        let commit = settings.trust == nil || signature?.verdict == .ok ? target?.commit : nil
        if signature?.verdict != .failed, keys?.verdict != .failed {
            items += await [submodules(look, commit), objects(look, commit)].compactMap { $0 }
        }
        items += await [hooks(), listening(look), webhooks(), clock()].compactMap { $0 }
        return items
    }

    /// What a single pass would end with; 0 when nothing that was looked at has failed.
    public static func exitStatus(of items: [CheckItem]) -> ExitStatus {
        items.lazy.compactMap(\.exitStatus).first ?? .success
    }

    private static func result<Value: Sendable>(
        at stage: Stage = .configure, _ work: () async throws -> Value
    ) async -> Result<Value, SyncError> {
        do { return .success(try await work()) } catch { return .failure(SyncError(error, at: stage)) }
    }

    // MARK: this machine

    private func destination(_ look: Result<DestinationLook, SyncError>) -> CheckItem {
        switch look {
        case .failure(let error): return .failed("DESTINATION", error)
        case .success(let look):
            let owner = look.owner.map { "process \($0)" } ?? "another process"
            let state =
                look.isOwned
                ? ", which \(owner) publishes into" : look.destination == nil ? ", which the first pass makes" : ""
            return .ok(
                "DESTINATION", "\(look.path), layout \(look.layout.rawValue)\(state); \(Self.size(look.free)) free")
        }
    }

    private static func size(_ bytes: Int64) -> String {
        bytes > 10_000_000_000 ? "\(bytes / 1_000_000_000) GB" : "\(bytes / 1_000_000) MB"
    }

    private func keys() async -> CheckItem? {
        guard let trust = settings.trust else { return nil }
        let name = "trusted keys"
        do {
            let keys = try await DiskThread.perform { try TrustedKeys(reading: WholeFile.read(trust.keysFile)) }
            return .ok(name, "\(keys.count) in \(trust.keysFile); \(trust.verification.rawValue) must be signed")
        } catch {
            return .failed(name, SyncError(trusting: trust, error))
        }
    }

    private func hooks() async -> CheckItem? {
        let commands = [
            ("SIDEKICK_BEFORE_PUBLISH", settings.hooks.beforePublish),
            ("SIDEKICK_ON_PUBLISH", settings.hooks.onPublish),
        ].compactMap { name, command in command.map { (name, $0) } }
        guard !commands.isEmpty else { return nil }
        var found: [String] = []
        for (setting, command) in commands {
            let program = command.arguments[0]
            guard let path = Self.executable(program, in: settings.hooks.searchPath) else {
                return .failed(
                    "hooks",
                    SyncError(
                        stage: .configure, cause: "\(setting) names \(program.printable()), which cannot be run here",
                        remedy: "install it, or give its path", recovery: .fixConfiguration, exitCode: .usage))
            }
            found.append(path)
        }
        return .ok("hooks", found.joined(separator: ", "))
    }

    private static func executable(_ program: String, in path: String) -> String? {
        let candidates = program.contains("/") ? [program] : path.parts(at: ":").map { "\($0)/\(program)" }
        return candidates.first { access($0, X_OK) == 0 }
    }

    private func listening(_ look: Result<DestinationLook, SyncError>) async -> CheckItem? {
        guard let address = settings.edge?.address else { return nil }
        let name = "SIDEKICK_LISTEN"
        let problem = await Result { try await DiskThread.perform { address.problem() } }
        guard case .success(let code?) = problem else { return .ok(name, "\(address) is free") }
        if code == EADDRINUSE, case .success(let look) = look, look.isOwned {
            return .ok(name, "\(address) is in use, as by the sidekick that runs here")
        }
        return .failed(
            name,
            SyncError(
                stage: .configure, cause: "cannot listen at \(address): \(String(cString: strerror(code)))",
                remedy: "give another SIDEKICK_LISTEN, or end what listens there", recovery: .fixConfiguration,
                exitCode: .cannotCreate))
    }

    private func webhooks() async -> CheckItem? {
        guard let edge = settings.edge, edge.secret != nil else { return nil }
        let name = "webhook secret"
        switch await Self.result({ try await DiskThread.perform { try edge.secrets() } }) {
        case .failure(let error): return .failed(name, error)
        case .success(let secrets) where secrets.isEmpty:
            return .failed(
                name,
                SyncError(
                    stage: .configure, cause: "SIDEKICK_WEBHOOK_SECRET is blank: every webhook would be refused",
                    remedy: "give one, a line", recovery: .fixConfiguration, exitCode: .usage))
        case .success(let secrets): return .ok(name, secrets.count == 1 ? "one" : "\(secrets.count), each of them good")
        }
    }

    /// Certificates, tokens of an App and signed webhooks are good for a time.
    private func clock() async -> CheckItem? {
        let (name, now) = ("clock", wallSeconds())
        guard now >= Self.earliest else {
            return .failed(name, Self.wrongClock("it is \(timestamp(now)) on this machine"))
        }
        guard let there = await timeAtServer() else { return .ok(name, timestamp(now)) }
        let seconds = Int((wallSeconds() - there).rounded())
        guard abs(seconds) > Self.clockTolerance else { return .ok(name, "\(timestamp(now)), as at the server") }
        let found =
            "it is \(abs(seconds)) seconds \(seconds < 0 ? "behind" : "ahead of") that of \(upstream.url.authority)"
        return upstream.app == nil
            ? .ok(name, found + "; certificates and signed webhooks may be refused")
            : .failed(name, Self.wrongClock(found))
    }

    private static func wrongClock(_ cause: String) -> SyncError {
        SyncError(
            stage: .configure, cause: cause, remedy: "set the clock of this machine, by NTP",
            recovery: .fixConfiguration, exitCode: .unavailable)
    }

    /// In seconds since 1970, where the server is one that says it.
    private func timeAtServer() async -> Double? {
        let url = upstream.url
        guard url.transport == .https || url.transport == .http else { return nil }
        return try? await OneShotHTTPClient(like: upstream, timeout: min(upstream.timeout, .seconds(10))).get(
            url.address
        ).date
    }

    /// Seconds: a token of an App is refused beyond.
    private static let clockTolerance = 60

    /// Before this there was no sidekick: the beginning of 2026.
    private static let earliest = 1_767_225_600.0

    // MARK: the remote

    /// What has to work one after the other.
    private enum Step: Int, CaseIterable {
        case name, connection, login, repository, reference

        var text: String { self == .name ? "host name" : self == .reference ? "SIDEKICK_REF" : "\(self)" }

        init(_ error: UpstreamError) {
            self =
                switch error {
                case .hostUnknown: .name
                case .unreachable, .stalled, .closed, .certificate, .proxyInvalid, .programMissing, .hostKeyUnknown,
                    .hostKeyChanged, .noPasswdEntry, .sshNeedsShell, .busy:
                    .connection
                case .authentication, .loginKeptBack, .forbidden, .secretUnreadable, .fileUnusable, .appRefused,
                    .appKeyUnusable, .sshLogin, .keyUnusable:
                    .login
                case .repositoryNotFound, .moved, .serverFailed, .notGit, .dumbServer, .objectFormat,
                    .extensionUnknown:
                    .repository
                case .noCommits, .headNowhere, .refMissing, .notACommit, .rewritten, .undelivered: .reference
                }
        }
    }

    /// How the remote is reached.
    var upstream: UpstreamOptions {
        var options = settings.upstream
        options.agent = agent
        return options
    }

    private func remote() async -> (items: [CheckItem], target: Target?) {
        let steps = settings.upstream.url.transport == .local ? [.repository, .reference] : Step.allCases
        let options = upstream
        let host = options.url.authority
        do {
            let (found, abilities) = try await options.makeUpstream(on: executor).connected { remote in
                (try await remote.discover(), remote.abilities)
            }
            let words: [Step: String] = [
                .name: host, .connection: "with \(host)", .login: "the repository can be read",
                .repository: "\(options.url)" + (abilities.map { ", \($0)" } ?? ""),
                .reference: "\(found.ref) is \(found.commit)"
                    + found.warnings.map { "; \($0)" }.joined(),
            ]
            let target = Target(commit: found.commit, ref: found.ref, tag: found.tag)
            return (steps.map { .ok($0.text, words[$0] ?? "") }, target)
        } catch {
            let failure = SyncError(error, at: .discover)
            let failed = (error as? UpstreamError).map { Step($0) } ?? .connection
            let at = steps.contains(failed) ? failed : .repository
            return (
                steps.map { step in
                    if step == at { return .failed(step.text, failure) }
                    return step.rawValue < at.rawValue
                        ? .ok(step.text, step == .name ? host : step == .connection ? "with \(host)" : "it works")
                        : .unknown(step.text, "what is before it failed")
                }, nil
            )
        }
    }

    /// What is in the commit is known when the commit is here.
    private func folder(_ look: Result<DestinationLook, SyncError>, _ commit: ObjectID?) async -> CheckItem {
        let recipe = settings.publishing.recipe
        let name = "SIDEKICK_SUBDIRECTORY"
        guard recipe.subdirectory != .root else { return .ok(name, "all of the commit") }
        do {
            let found: ObjectID? = try await here(look, commit) { repository, _, id in
                let commit = try repository.commit(id).with(tree: repository.root(of: id, as: recipe))
                return try repository.folder(recipe.subdirectory, of: commit)
            }
            return found == nil ? .unknown(name, Self.notHere) : .ok(name, "\(recipe.subdirectory)")
        } catch let error as PublishingError {
            return .failed(name, SyncError(error, at: .materialize))
        } catch {
            return .unknown(name, Self.notHere)
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ work: () async throws -> Success) async {
        do { self = .success(try await work()) } catch { self = .failure(error) }
    }
}

extension ListenAddress {
    /// Why nobody can listen there; `nil` when one can. What is bound is let go at once.
    fileprivate func problem() -> Int32? {
        switch self {
        case .unix(let path):
            let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            return access(folder.isEmpty ? "/" : folder, W_OK | X_OK) == 0 ? nil : errno
        case .tcp(let host, let port):
            var hints = addrinfo()
            hints.ai_flags = AI_PASSIVE
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            guard getaddrinfo(host.isEmpty ? nil : host, "\(port)", &hints, &list) == 0, let first = list?.pointee
            else { return EADDRNOTAVAIL }
            defer { freeaddrinfo(list) }
            let file = socket(first.ai_family, first.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard file >= 0 else { return errno }
            defer { close(file) }
            var yes: Int32 = 1
            setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            guard bind(file, first.ai_addr, first.ai_addrlen) == 0, listen(file, 1) == 0 else { return errno }
            return nil
        }
    }
}

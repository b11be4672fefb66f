import FoundationEssentials
public import Git
import Platform
import Synchronization

/// Where the objects of Git LFS of a repository are.
public struct LFSRemote: Sendable {
    private let options: UpstreamOptions
    private let traffic: Traffic
    /// Where bytes are written and hashed.
    private let disk = GitExecutor(label: "sidekick.lfs")

    /// - Parameters:
    ///   - options: how the repository is reached.
    ///   - traffic: counts what is asked.
    public init(of options: UpstreamOptions, counting traffic: Traffic) {
        (self.options, self.traffic) = (options, traffic)
    }

    /// As many as git-lfs asks for at once.
    private static let batchSize = 100
    /// As many as git-lfs has at a time.
    private static let maxTransfers = 8

    /// Brings objects into the store, each once and each checked; what came stays, whatever is thrown.
    ///
    /// - Parameter progress: told how far it is; what it throws ends it.
    /// - Throws: `LFSError`, `UpstreamError`, `GitError` for the disk, `CancellationError`.
    public func fetch(
        _ request: LFSRequest, progress: @escaping @Sendable (TransferProgress) throws -> Void
    ) async throws {
        let count = LFSCount(of: request.objects, progress)
        var objects = request.objects
        if options.url.transport == .local { objects = try await copy(objects, into: request.store, count) }
        guard let first = objects.first else { return }
        guard let endpoint = try await endpoint(request.config) else {
            throw LFSError.missing(first, address: options.url.address, says: nil)
        }
        var client = try await LFSClient(endpoint, counting: traffic)
        for start in stride(from: 0, to: objects.count, by: Self.batchSize) {
            let batch = Array(objects[start..<min(start + Self.batchSize, objects.count)])
            if client.endpoint.isOver, let renewed = try await self.endpoint(request.config) {
                client = try await LFSClient(renewed, counting: traffic)
            }
            try await download(batch, by: client, request, count)
        }
    }

    /// Asks for the object without bytes: whether the server answers and lets us in.
    ///
    /// - Returns: its address; `nil` for a repository on this machine.
    /// - Throws: `LFSError`, `UpstreamError`, `CancellationError`.
    public func probe(_ config: LFSConfig?) async throws -> String? {
        guard let endpoint = try await endpoint(config) else { return nil }
        do {
            _ = try await LFSClient(endpoint, counting: traffic).actions(for: [.empty], ref: nil)
        } catch LFSError.missing {
            // It may be that it does not have it.
        }
        return HTTPOrigin.shown(endpoint.url)
    }

    // MARK: where they are

    /// The server; `nil` for a repository on this machine.
    private func endpoint(_ config: LFSConfig?) async throws -> LFSEndpoint? {
        if let address = options.lfs { return LFSEndpoint(address, of: options) }
        let standard = options.url.lfsAddress.map { LFSEndpoint($0, of: options) }
        guard let text = config?.url else {
            return options.url.transport == .ssh ? try await ask(options, else: standard) : standard
        }
        // Whoever may push names it: no more than the repository's own server.
        if let named = LFSAddress(text).map({ LFSEndpoint($0, of: options) }), let origin = named.origin,
            origin == standard?.origin
        {
            return named
        }
        if let trusted = options.trustedLFS, LFSAddress(text)?.url == trusted.url {
            return LFSEndpoint(trusted, of: options)
        }
        if let url = try? RemoteURL(text), url.transport == .ssh, options.url.isHome(of: url) {
            var there = options
            there.url = url
            return try await ask(there, else: standard)
        }
        throw LFSError.otherServer(url: HTTPOrigin.shown(text))
    }

    private struct Grant: Decodable {
        let href: String?
        let header: [String: String]?
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let expires_in: Double?
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let expires_at: String?
    }

    /// Over ssh the server says who may come, and where to (git-lfs-authenticate); one that does not is asked as any other.
    private func ask(_ options: UpstreamOptions, else standard: LFSEndpoint?) async throws -> LFSEndpoint? {
        let path = options.url.parts.path
        let answer = try await SSHCall(options: options).run("git-lfs-authenticate \(path.shellQuoted) download")
        guard answer.isSuccess, let grant = try? JSONDecoder().decode(Grant.self, from: Data(answer.output)) else {
            return standard
        }
        var endpoint = grant.href.flatMap { LFSAddress($0) }.map { LFSEndpoint($0, of: options) } ?? standard
        endpoint?.headers = grant.header ?? [:]
        endpoint?.end = LFSBatch.end(grant.expires_in, grant.expires_at)
        return endpoint
    }

    // MARK: a repository on this machine

    /// - Returns: those that it does not have.
    private func copy(_ objects: [LFSObject], into store: LFSStore, _ count: LFSCount) async throws -> [LFSObject] {
        let folder =
            try await disk.run { [options] in try Repository(opening: options.url.address).commonPath } + "lfs/objects"
        var missing: [LFSObject] = []
        for start in stride(from: 0, to: objects.count, by: Self.batchSize) {
            var whole: [LFSObject] = []
            for object in objects[start..<min(start + Self.batchSize, objects.count)] {
                let name = "\(object.id)"
                let path = "\(folder)/\(name.prefix(2))/\(name.dropFirst(2).prefix(2))/\(name)"
                guard try await LFSReceiver(object, into: store, on: disk).copy(from: path) else {
                    missing.append(object)
                    continue
                }
                whole.append(object)
                try count.took(Int(clamping: object.size))
                try count.finished()
            }
            try await disk.run { [whole] in try store.admit(whole) }
        }
        return missing
    }

    // MARK: a server

    private func download(
        _ objects: [LFSObject], by client: LFSClient, _ request: LFSRequest, _ count: LFSCount
    ) async throws {
        let actions = try await Self.retrying { try await client.actions(for: objects, ref: request.ref) }
        var whole: [LFSObject] = []
        var failure: (any Error)?
        do {
            try await withThrowingTaskGroup(of: LFSObject.self) { group in
                for (number, object) in objects.enumerated() {
                    guard let action = actions[object.id] else { continue }
                    if number >= Self.maxTransfers, let done = try await group.next() { whole.append(done) }
                    group.addTask {
                        try await self.download(object, by: action, client, request, count)
                        return object
                    }
                }
                while let done = try await group.next() { whole.append(done) }
            }
        } catch {
            failure = error
        }
        // What is whole need not come again, also when this is cancelled.
        let (store, done) = (request.store, whole)
        try await Task { [disk] in try await disk.run { try store.admit(done) } }.value
        if let failure { throw failure }
    }

    /// Between two tries: a connection that breaks does so once in a while, and what came of a large object stays.
    private static let pauses: [Duration] = [.milliseconds(200), .seconds(1), .seconds(3)]

    private static func retrying<Value>(_ work: () async throws -> Value) async throws -> Value {
        for pause in pauses {
            do { return try await work() } catch  where isWorthAnotherTry(error) { try await Alarm.wait(pause) }
        }
        return try await work()
    }

    private func download(
        _ object: LFSObject, by first: LFSAction, _ client: LFSClient, _ request: LFSRequest, _ count: LFSCount
    ) async throws {
        // What is here of a large one is hashed while others go on.
        let receiver = LFSReceiver(object, into: request.store, on: GitExecutor(label: "sidekick.lfs"))
        var (action, tries, hasRenewed) = (first, 0, false)
        while true {
            do {
                if action.isOver { action = try await renewed(object, client, request) }
                try await client.transfer(object, by: action, into: receiver) { try count.took($0) }
                return try count.finished()
            } catch let refused as LFSClient.LinkRefused {
                guard !hasRenewed else { throw refused.reason }
                (action, hasRenewed) = (try await renewed(object, client, request), true)
            } catch {
                guard Self.isWorthAnotherTry(error), tries < Self.pauses.count else { throw error }
                try await Alarm.wait(Self.pauses[tries])
                tries += 1
            }
        }
    }

    private func renewed(_ object: LFSObject, _ client: LFSClient, _ request: LFSRequest) async throws -> LFSAction {
        let actions = try await client.actions(for: [object], ref: request.ref)
        guard let action = actions[object.id] else {
            throw LFSError.missing(object, address: client.endpoint.url, says: nil)
        }
        return action
    }

    private static func isWorthAnotherTry(_ error: any Error) -> Bool {
        switch error {
        case UpstreamError.busy(_, _, let time, _): time == nil
        case UpstreamError.stalled: false
        case let error as UpstreamError: error.isTransient
        case LFSError.short, LFSError.wrongBytes: true
        default: false
        }
    }
}

/// Tells how far transfers are that go on beside each other.
final class LFSCount: Sendable {
    private let state: Mutex<TransferProgress>
    private let progress: @Sendable (TransferProgress) throws -> Void

    init(of objects: [LFSObject], _ progress: @escaping @Sendable (TransferProgress) throws -> Void) {
        state = Mutex(TransferProgress(receivedObjects: 0, totalObjects: objects.count, receivedBytes: 0))
        self.progress = progress
    }

    func took(_ bytes: Int) throws { try tell { $0.receivedBytes += bytes } }
    func finished() throws { try tell { $0.receivedObjects += 1 } }

    private func tell(_ change: (inout TransferProgress) -> Void) throws {
        try progress(
            state.withLock { state in
                change(&state)
                return state
            })
    }
}

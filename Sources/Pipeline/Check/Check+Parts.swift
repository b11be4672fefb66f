import Content
import Git
import Publishing
import Upstream

/// What a commit names of other servers is known when the commit is here.
extension Check {
    /// The repositories of its submodules; `nil` where none are followed.
    func submodules(_ look: Result<DestinationLook, SyncError>, _ commit: ObjectID?) async -> CheckItem? {
        let (recipe, followed) = (settings.publishing.recipe, settings.upstream.url)
        guard recipe.followsSubmodules else { return nil }
        let name = "submodules"
        let links: [SubmoduleLink]?
        do {
            links = try await here(look, commit) { repository, store, commit in
                try SubmoduleLink.all(of: repository.commit(commit).tree, at: .root, in: store, recipe)
            }
        } catch {
            return .failed(name, SyncError(error, at: .fetch))
        }
        guard let links else { return .unknown(name, Self.notHere) }
        var asked: [String] = []
        for link in links {
            guard case .follow(let url) = link.decision(at: followed.asParent, recipe, following: followed),
                !asked.contains(url.address)
            else { continue }
            asked.append(url.address)
            do {
                _ = try await upstream.module(at: url, commit: link.commit).makeUpstream(on: executor)
                    .connected { try await $0.discover() }
            } catch {
                let failure = SubmoduleFailure(path: link.path, address: url.address, reason: error)
                return .failed(name, SyncError(failure, at: .fetch))
            }
        }
        let found =
            links.isEmpty ? "the commit has none" : asked.isEmpty ? "none is followed" : asked.joined(separator: ", ")
        return .ok(name, found)
    }

    /// The server of Git LFS; `nil` where nothing says that there has to be one.
    func objects(_ look: Result<DestinationLook, SyncError>, _ commit: ObjectID?) async -> CheckItem? {
        let isUsed = ((try? look.get().published()?.lfsObjects) ?? 0) > 0
        guard settings.publishing.recipe.lfs == .on, isUsed || settings.publishing.setsLFS else { return nil }
        let name = "Git LFS"
        do {
            let config = try await here(look, commit) { repository, _, commit in
                try LFSFetch.config(of: commit, in: repository)
            }
            let server = try await LFSRemote(of: upstream, counting: Traffic()).probe(config ?? nil)
            return .ok(name, server ?? "in the repository, on this machine")
        } catch {
            let failure = SyncError(error, at: .fetch)
            return isUsed
                ? .failed(name, failure) : .unknown(name, "\(failure.cause); only a commit with files of it needs it")
        }
    }

    static let notHere = "the commit has not been fetched; --plan does"

    /// - Returns: `nil` when the commit is not in the store.
    func here<Value: Sendable>(
        _ look: Result<DestinationLook, SyncError>, _ commit: ObjectID?,
        _ work: @escaping @Sendable (borrowing Repository, Store, ObjectID) throws -> Value
    ) async throws -> Value? {
        guard let commit, case .success(let look) = look, let store = look.destination?.store, store.exists else {
            return nil
        }
        return try await executor.run {
            let repository = try store.open()
            return try repository.contains(commit) ? work(repository, store, commit) : nil
        }
    }
}

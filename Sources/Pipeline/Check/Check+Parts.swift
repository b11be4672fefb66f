import Content
import Git
import Publishing
import Upstream

/// Who has signed a commit, and what it names of other servers, is known when the commit is here.
extension Check {
    /// Whether somebody has to have signed it, and what can say so.
    private enum Proof {
        case isServed, missing
        case asks(TrustCheck)
    }

    /// Who has signed what a pass would publish; `nil` where nobody has to.
    func signature(_ look: Result<DestinationLook, SyncError>, _ target: Target?) async -> CheckItem? {
        guard let trust = settings.trust else { return nil }
        let name = "signature"
        do {
            guard let target else { return .unknown(name, Self.notHere) }
            let found = try await here(look, target.commit) { [executor, settings] repository, store, commit in
                if try look.get().shows(commit, as: settings.publishing) { return Proof.isServed }
                // It comes with the commit, but for one that was made since.
                if trust.needsTag, let tag = target.tag, try !repository.contains(tag) { return .missing }
                return .asks(TrustCheck(settings: trust, look: try look.get(), store: store, executor: executor))
            }
            switch found {
            case nil, .missing: return .unknown(name, Self.notHere)
            case .isServed: return .ok(name, "what it has is served already")
            case .asks(let check): return .ok(name, "\(try await check.signer(of: target))")
            }
        } catch {
            return .failed(name, SyncError(error, at: .trust))
        }
    }

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

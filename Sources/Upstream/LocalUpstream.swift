import Git

/// A repository on this machine: opened to read, its objects copied. Works on clones that are shallow and on work trees,
/// where libgit2's own local transport fails.
struct LocalUpstream: Upstream, Remote {
    let options: UpstreamOptions
    let executor: GitExecutor

    func connected<Value: Sendable>(_ work: (any Remote) async throws -> Value) async throws -> Value {
        try await work(self)
    }

    func watch(_ changed: @escaping @Sendable () -> Void) -> (any Watch)? {
        guard let source = try? open(options.url.address) else { return nil }
        return LocalWatch(source, changed: changed)
    }

    func discover() async throws -> Advertisement {
        let address = options.url.address
        let ref = options.ref
        return try await mappingErrors {
            let source = try open(address)
            if case .commit(let id) = ref, try !source.contains(id) {
                throw UpstreamError.refMissing(ref: id.description, address: address)
            }
            if ref == .head, let branch = source.unbornHead(), try !source.referenceNames().isEmpty {
                throw UpstreamError.headNowhere(branch: branch, address: address)
            }
            return try ref.advertisement(
                address: address, names: { try source.referenceNames() }, { try source.reference($0) }
            ) { reference in
                guard let commit = reference.peeled else { throw UpstreamError.notACommit(ref: reference.name) }
                return commit
            }
        }
    }

    func fetch(_ request: FetchRequest, progress: @escaping @Sendable (TransferProgress) throws -> Void) async throws {
        let address = options.url.address
        try await mappingErrors {
            let source = try open(address)
            let commit = request.advertisement.commit
            if let previous = request.mustFollow, try !follows(commit, previous, in: source) {
                throw UpstreamError.rewritten(from: previous, to: commit)
            }
            let store = try request.store.openToFill()
            try store.copy(commit, depth: request.depth, from: source, progress: progress)
            store.forgetOutline(of: commit)
            if request.needsTag, let tag = request.advertisement.tag { try request.store.copy(tag: tag, from: source) }
        }
    }

    /// What reading failed on is the source: nothing is read from the store while it is filled.
    private func mappingErrors<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await executor.run(work)
        } catch let error as GitError where Self.isReading(error) {
            throw UpstreamError.serverFailed(address: options.url.address, reason: error.description)
        }
    }

    private static func isReading(_ error: GitError) -> Bool {
        error.isDamage && readingCalls.contains { error.call.hasPrefix($0) }
    }

    private static let readingCalls = [
        "git_odb_read", "git_reference_lookup", "git_reference_name_to_id", "git_packbuilder", "index-pack",
    ]

    private func open(_ path: String) throws -> Repository {
        do {
            return try Repository(opening: path)
        } catch  where error.isNotFound {
            throw UpstreamError.repositoryNotFound(address: path)
        } catch  where error.unsupported != nil {
            let unsupported = error.unsupported!
            throw unsupported.name == "objectformat"
                ? UpstreamError.objectFormat(unsupported.value, address: path)
                : UpstreamError.extensionUnknown(unsupported, address: path)
        } catch {
            throw UpstreamError.serverFailed(address: path, reason: error.description)
        }
    }

    /// A commit that the source no longer has cannot be shown to be followed: that is a rewritten history.
    private func follows(_ commit: ObjectID, _ previous: ObjectID, in source: borrowing Repository) throws -> Bool {
        do {
            return try source.contains(previous) && source.isAncestor(previous, of: commit)
        } catch let error as GitError where error.isNotFound {
            return false
        }
    }
}

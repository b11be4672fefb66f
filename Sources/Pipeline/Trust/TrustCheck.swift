import Git
import Platform
import Publishing
import Trust
import Upstream

/// Whether a commit may be published, by who has signed it. Nothing that the commit names has been asked for yet.
struct TrustCheck: Sendable {
    let settings: TrustSettings
    /// Has the commit, and the tag.
    let store: Store
    /// Whether a commit was served here, in whatever way.
    let isKnown: @Sendable (ObjectID) throws -> Bool
    let executor: GitExecutor

    init(settings: TrustSettings, publisher: Publisher, executor: GitExecutor) {
        let store = publisher.destination.store
        (self.settings, self.store, self.executor) = (settings, store, executor)
        isKnown = { try publisher.published()?.commit == $0 || store.open().publishedCommits().contains($0) }
    }

    /// - Parameter store: has the commit, which need not be that of DESTINATION.
    init(settings: TrustSettings, look: DestinationLook, store: Store, executor: GitExecutor) {
        (self.settings, self.store, self.executor) = (settings, store, executor)
        isKnown = { commit in
            if try look.published()?.commit == commit { return true }
            guard let store = look.destination?.store, store.exists else { return false }
            return try store.open().publishedCommits().contains(commit)
        }
    }

    /// - Returns: who has signed it: the tag, where that is asked for.
    /// - Throws: `SyncError` of the stage `trust`, `CancellationError`.
    func signer(of target: Target) async throws -> Signer {
        do {
            return try await executor.run { try read(signerOf: target) }
        } catch let refused as Refused {
            throw SyncError(refused, at: .trust)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw SyncError(trusting: settings, error)
        }
    }

    private func read(signerOf target: Target) throws -> Signer {
        let keys = try TrustedKeys(reading: WholeFile.read(settings.keysFile))
        let repository = try store.open()
        // Of a commit that was served its own date counts: the key may have ended since.
        let time = try isKnown(target.commit) ? try repository.commit(target.commit).time : Int64(wallSeconds())
        var signer: Signer?
        if settings.needsCommit {
            let object = try repository.signedCommit(target.commit)
            signer = try Refused.telling("commit \(target.commit.abbreviated)") { () throws(Refusal) in
                try keys.signer(of: object.payload, object.signature, at: time)
            }
        }
        if settings.needsTag {
            let name = "tag \(target.ref?.description ?? "")"
            guard let id = target.tag else { throw Refused(what: name, why: .noTag) }
            let tag = try repository.tag(id)
            guard target.ref?.bytes == Array("refs/tags/".utf8) + tag.name else {
                throw Refused(what: name, why: .otherTag(tag.name.asText.printable(limit: 80)))
            }
            guard try repository.peel(id) == target.commit else {
                throw Refused(what: name, why: .otherTag("that of another commit"))
            }
            signer = try Refused.telling(name) { () throws(Refusal) in
                try keys.signer(of: tag.signed.payload, tag.signed.signature, at: time)
            }
        }
        // `off` makes no check.
        return signer!
    }
}

/// Something that nobody who is trusted has signed.
private struct Refused: Error {
    let what: String
    let why: Refusal

    static func telling<Value>(_ what: String, _ work: () throws(Refusal) -> Value) throws(Refused) -> Value {
        do { return try work() } catch { throw Refused(what: what, why: error) }
    }
}

extension SyncError {
    fileprivate init(_ refused: Refused, at stage: Stage) {
        let remedy =
            switch refused.why {
            case .unsigned: "sign it, with `git commit -S` or `git tag -s`"
            case .noTag: "follow an annotated tag, by SIDEKICK_REF, or verify commits (SIDEKICK_VERIFY=commit)"
            case .otherTag: "tag it anew under its own name"
            case .unknownKey: "add the key to SIDEKICK_TRUSTED_KEYS_FILE if its owner may publish"
            case .wrongNamespace, .expired:
                "sign it with a key that is valid for git, or mend its line in SIDEKICK_TRUSTED_KEYS_FILE"
            case .malformed, .unsupported: "sign it with a key of SSH or OpenPGP that docs/security.md names"
            case .bad, .revoked: "find out who has pushed it"
            }
        self.init(
            stage: stage, cause: "\(refused.what) is not trusted: \(refused.why)", remedy: remedy,
            recovery: .fixRemote, exitCode: .dataError)
    }

    /// What is wrong with the file of keys, or with something else.
    init(trusting settings: TrustSettings, _ error: any Error) {
        switch error {
        case let error as MalformedKeys: self.init(keys: "\(settings.keysFile) has \(error)")
        case let error as WholeFile.Failure: self.init(keys: "cannot be read: \(error)")
        default: self.init(error, at: .trust)
        }
    }

    private init(keys cause: String) {
        self.init(
            stage: .trust, cause: "SIDEKICK_TRUSTED_KEYS_FILE \(cause)",
            remedy: "mend that file: lines of allowed_signers or authorized_keys, and public key blocks of OpenPGP",
            recovery: .fixConfiguration, exitCode: .usage)
    }
}

import CLibgit2

/// A remote that libgit2's own transports speak to, in the old protocol (v0 and v1).
public struct RemoteEndpoint: Sendable {
    /// The address, without a user or a password.
    public let url: String
    /// User and password for the server that is connected now; `nil` refuses.
    public let credential: @Sendable () -> (user: String, password: String)?

    /// Names a remote; nothing is opened.
    public init(url: String, credential: @escaping @Sendable () -> (user: String, password: String)?) {
        self.url = url
        self.credential = credential
    }

    /// The references that the remote advertises: in this protocol, all of them, tags with what they peel to.
    ///
    /// - Parameter dialer: makes every socket that the transport uses.
    public func references(over dialer: any StreamDialer) throws -> [Reference] {
        try Library.started.get()
        let remote = try handle("git_remote_create_detached") { git_remote_create_detached(&$0, url) }
        defer { git_remote_free(remote) }
        let payload = CallbackPayload(endpoint: self) { _ in }
        try TransportStreams.withDialer(dialer) {
            try payload.guardingCancellation {
                var options = git_remote_connect_options()
                try check("git_remote_connect_options_init") {
                    git_remote_connect_options_init(&options, UInt32(GIT_REMOTE_CONNECT_OPTIONS_VERSION))
                }
                payload.install(in: &options.callbacks)
                try check("git_remote_connect_ext") { git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &options) }
            }
        }
        var heads: UnsafeMutablePointer<UnsafePointer<git_remote_head>?>?
        var count = 0
        try check("git_remote_ls") { git_remote_ls(&heads, &count, remote) }
        return Self.references(UnsafeBufferPointer(start: heads, count: count))
    }

    private static func references(_ heads: UnsafeBufferPointer<UnsafePointer<git_remote_head>?>) -> [Reference] {
        var references: [Reference] = []
        references.reserveCapacity(heads.count)
        for head in heads.lazy.compactMap({ $0?.pointee }) {
            let name = String(cString: head.name)
            let id = ObjectID(head.oid)
            if name.hasSuffix("^{}"), let tag = references.last, name.dropLast(3) == tag.name {
                references[references.count - 1] = Reference(name: tag.name, target: tag.target, peeled: id)
            } else {
                let symbolic = head.symref_target.map { String(cString: $0) }
                references.append(Reference(name: name, target: id, symbolic: symbolic))
            }
        }
        return references
    }
}

extension Repository {
    /// Downloads the objects that one reference or commit needs and that are missing here, as one indexed pack. No
    /// reference is changed.
    ///
    /// - Parameter source: a full reference name, or a commit id where the server allows it.
    public borrowing func download(
        _ source: String, from endpoint: RemoteEndpoint, over dialer: any StreamDialer,
        progress: (TransferProgress) throws -> Void
    ) throws {
        let pointer = pointer
        // Not `git_remote_create_anonymous`: it looks for url.*.insteadOf, and libgit2 1.5.1 leaks 20 kB at each look.
        var creation = git_remote_create_options()
        try check("git_remote_create_options_init") {
            git_remote_create_options_init(&creation, UInt32(GIT_REMOTE_CREATE_OPTIONS_VERSION))
        }
        creation.repository = pointer
        creation.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF.rawValue | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC.rawValue
        let remote = try handle("git_remote_create_with_opts") {
            git_remote_create_with_opts(&$0, endpoint.url, &creation)
        }
        defer { git_remote_free(remote) }
        try withoutActuallyEscaping(progress) { progress in
            let payload = CallbackPayload(endpoint: endpoint, progress: progress)
            try TransportStreams.withDialer(dialer) {
                try payload.guardingCancellation {
                    var options = git_fetch_options()
                    try check("git_fetch_options_init") {
                        git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION))
                    }
                    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
                    options.update_fetchhead = 0
                    payload.install(in: &options.callbacks)
                    try source.withMutableCString { text in
                        var specification: UnsafeMutablePointer<CChar>? = text
                        try withUnsafeMutablePointer(to: &specification) { strings in
                            var specifications = git_strarray(strings: strings, count: 1)
                            try check("git_remote_download") { git_remote_download(remote, &specifications, &options) }
                        }
                    }
                }
            }
        }
    }
}

extension String {
    fileprivate func withMutableCString<Value>(_ body: (UnsafeMutablePointer<CChar>) throws -> Value) rethrows -> Value
    {
        var bytes = utf8CString
        return try bytes.withUnsafeMutableBufferPointer { buffer in try body(buffer.baseAddress!) }
    }
}

/// What libgit2's callbacks reach, in one place. A credential is handed out once: a second request for it means that it
/// was refused, and asking again would loop for ever.
private final class CallbackPayload {
    private let endpoint: RemoteEndpoint
    private let progress: (TransferProgress) throws -> Void
    private var gaveCredential = false
    private var failure: (any Error)?

    init(endpoint: RemoteEndpoint, progress: @escaping (TransferProgress) throws -> Void) {
        self.endpoint = endpoint
        self.progress = progress
    }

    func install(in callbacks: inout git_remote_callbacks) {
        callbacks.payload = Unmanaged.passUnretained(self).toOpaque()
        callbacks.credentials = { out, _, _, allowed, payload in
            guard let out, let payload else { return GIT_EAUTH.rawValue }
            return CallbackPayload.from(payload).credential(out, allowed: allowed)
        }
        callbacks.transfer_progress = { statistics, payload in
            guard let statistics, let payload, !Task.isCancelled else { return GIT_EUSER.rawValue }
            return CallbackPayload.from(payload).report(
                TransferProgress(
                    receivedObjects: Int(statistics.pointee.received_objects),
                    totalObjects: Int(statistics.pointee.total_objects),
                    receivedBytes: statistics.pointee.received_bytes))
        }
        callbacks.sideband_progress = { _, _, _ in Task.isCancelled ? GIT_EUSER.rawValue : 0 }
    }

    /// Keeps the payload alive while C holds a pointer to it, and tells a cancelled call from a failed one.
    func guardingCancellation(_ body: () throws -> Void) throws {
        defer { withExtendedLifetime(self) {} }
        do { try body() } catch {
            try Task.checkCancellation()
            throw failure ?? error
        }
    }

    private func report(_ state: TransferProgress) -> Int32 {
        do {
            try progress(state)
            return 0
        } catch {
            failure = error
            return GIT_EUSER.rawValue
        }
    }

    private static func from(_ payload: UnsafeMutableRawPointer) -> CallbackPayload {
        Unmanaged<CallbackPayload>.fromOpaque(payload).takeUnretainedValue()
    }

    private func credential(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>, allowed: UInt32
    ) -> Int32 {
        guard !gaveCredential, allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT.rawValue != 0,
            let (user, password) = endpoint.credential()
        else { return GIT_EAUTH.rawValue }
        gaveCredential = true
        return git_credential_userpass_plaintext_new(out, user, password)
    }
}

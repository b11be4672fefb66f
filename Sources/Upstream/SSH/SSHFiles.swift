import Platform
import FoundationEssentials
import Glibc

/// What ssh is given to read, made anew for each run: a key that was renewed needs no restart.
struct SSHFiles: Sendable {
    private(set) var arguments: [String] = []
    private(set) var environment: [String: String] = [:]
    /// They live as long as this does.
    private var files: [SealedFile] = []

    /// - Parameter url: the repository, of which it depends which keys are for it.
    init(_ options: SSHOptions, for url: RemoteURL) throws {
        let listed = try options.keys.map { file in
            try SSHKeyList(CredentialSource.Place.file(file).read().reveal(), in: file).keys(for: url)
        }
        let own = options.prefersListedKeys && listed?.isEmpty == false ? nil : options.key
        let keys = [own].compactMap { $0 } + (listed ?? []).map { .file($0) }
        if !keys.isEmpty { arguments += ["-o", "IdentitiesOnly=yes"] }
        for key in keys { try take(key: key) }
        try take(knownHosts: options.knownHosts)
        // Not what it finds by itself: that is looked for in the home of the passwd entry, which there may be none of.
        let configuration = options.home.map { $0 + "/.ssh/config" }
        arguments += ["-F", configuration.flatMap { access($0, R_OK) == 0 ? $0 : nil } ?? "none"]
        if let home = options.home {
            environment["HOME"] = home
            if options.knownHosts == nil { arguments += ["-o", "UserKnownHostsFile=\"\(home)/.ssh/known_hosts\""] }
        }
        environment["SSH_AUTH_SOCK"] = options.agentSocket
        environment["PATH"] = options.searchPath
        try takeUser(home: options.home)
    }

    /// ssh refuses a key that others may read, as the files are that compose and Kubernetes mount, and one without its last LF.
    /// So it is always given a copy, whatever the file is like.
    private mutating func take(key: CredentialSource.Place) throws {
        let name = if case .file(let path) = key { path } else { "SIDEKICK_SSH_KEY" }
        arguments += ["-i", try hold(try SSHKey(try key.read(), from: name).text, named: "key")]
        // What a certificate authority of ssh's signed, beside the key as ssh itself looks for it.
        guard case .file(let path) = key, access(path + "-cert.pub", F_OK) == 0 else { return }
        let certificate = try CredentialSource.Place.file(path + "-cert.pub").read().reveal()
        arguments += ["-o", "CertificateFile=\(try hold(Array(certificate.utf8) + [10], named: "certificate"))"]
    }

    private mutating func take(knownHosts: CredentialSource.Place?) throws {
        switch knownHosts {
        case nil: return
        case .file(let path):
            guard access(path, R_OK) == 0 else { throw UpstreamError.secretUnreadable(path: path) }
            arguments += ["-o", "UserKnownHostsFile=\"\(path)\""]
        case .value(let text):
            let file = try hold(Array(text.reveal().utf8) + [10], named: "known_hosts")
            arguments += ["-o", "UserKnownHostsFile=\(file)"]
        }
        arguments += ["-o", "GlobalKnownHostsFile=/dev/null"]
    }

    private mutating func hold(_ bytes: [UInt8], named name: String) throws -> String {
        let file = try SealedFile(bytes, named: name)
        files.append(file)
        return file.path
    }

    /// ssh refuses to run for a uid that has no entry in passwd(5), as an image's has none for the uid that a cluster picks:
    /// libnss-wrapper shows it one.
    private mutating func takeUser(home: String?) throws {
        guard getpwuid(geteuid()) == nil, let library = Self.wrapperLibrary else { return }
        let home = home ?? "/"
        let user = try SealedFile(
            "sidekick:x:\(geteuid()):\(getegid()):sidekick:\(home):/bin/sh\n".utf8, named: "passwd")
        let group = try SealedFile("sidekick:x:\(getegid()):\n".utf8, named: "group")
        files += [user, group]
        environment["LD_PRELOAD"] = library
        environment["NSS_WRAPPER_PASSWD"] = user.path
        environment["NSS_WRAPPER_GROUP"] = group.path
    }

    private static var wrapperLibrary: String? {
        let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        let all = folders + names.filter { $0.hasSuffix("-linux-gnu") }.map { "/usr/lib/" + $0 }
        return all.map { $0 + "/libnss_wrapper.so" }.first { access($0, R_OK) == 0 }
    }
}

import Git
import Platform
import Upstream

/// How the repository is reached, and as whom.
extension SettingsReader {
    mutating func url() -> RemoteURL? {
        guard let text = required(.repository) else { return nil }
        do throws(RemoteURL.Invalid) {
            let url = try RemoteURL(text)
            if url.password != nil, flags[Setting.repository.name] != nil {
                problems.append(
                    "REPOSITORY as an argument has a password in it, which every user of this machine can read:"
                        + " give it in the environment, or better in SIDEKICK_PASSWORD_FILE")
                return nil
            }
            if url.transport == .ssh, url.password != nil {
                problems.append("REPOSITORY over ssh has a password in it, which ssh does not take: give a key")
                return nil
            }
            return url
        } catch {
            let reason =
                switch error {
                case .empty: "is empty"
                case .scheme(let scheme): "has the unknown scheme \(scheme.printable(limit: 40))"
                case .host: "names no host"
                case .path: "names no repository"
                case .password: "has a /, ? or # in its user or password, which must be percent-encoded (%2F, %3F, %23)"
                }
            problems.append(
                "REPOSITORY \(reason): give an https, http, ssh, git or file URL, user@host:path, or a local path")
            return nil
        }
    }

    mutating func lfsAddress() -> LFSAddress? {
        guard let text = text(.lfsURL) else { return nil }
        guard let address = LFSAddress(text) else {
            // It may have a password in it.
            problems.append("SIDEKICK_LFS_URL is no address of a server of Git LFS: give an http or https URL")
            return nil
        }
        return address
    }

    mutating func ref() -> RefSelection {
        if let bytes = odd[Setting.ref.name], flags[Setting.ref.name] == nil {
            if let name = ReferenceName(checking: bytes) { return .name(name) }
            problems.append("SIDEKICK_REF is no name of a reference: give a branch, a tag or a full reference name")
        }
        let text = text(.ref) ?? ""
        if text.hasPrefix(RefSelection.versionPrefix) {
            if let ref = RefSelection(reading: text) { return ref }
            problems.append(
                "SIDEKICK_REF is \"\(text.printable(limit: 80))\": give semver: and a range of versions, such as semver:^1.2 or semver:>=1 <3"
            )
            return .head
        }
        let forbidden: [Character] = [" ", "~", "^", ":", "?", "*", "[", "\\"]
        if text.hasPrefix("-") || text.contains("..")
            || text.contains(where: { forbidden.contains($0) || $0.isNewline })
        {
            problems.append(
                "SIDEKICK_REF is \"\(text.printable(limit: 80))\": give a branch, a tag, a full reference name, or a full commit id"
            )
        }
        return RefSelection(reading: text) ?? .head
    }

    mutating func credentials() -> CredentialSource {
        let places = [Setting.password, .token].compactMap { setting in
            secret(setting).map { (setting, $0) }
        }
        if places.count > 1 {
            problems.append("both a password and a token are given: give one of SIDEKICK_PASSWORD and SIDEKICK_TOKEN")
        }
        var source = CredentialSource(user: text(.username), password: places.first?.1)
        source.file = text(.credentialsFile)
        source.netrc = environment["NETRC"] ?? environment["HOME"].map { $0 + "/.netrc" }
        return source
    }

    mutating func app() -> GitHubAppOptions? {
        let (app, installation, key) = (text(.githubApp), text(.githubInstallation), secret(.githubKey))
        guard app != nil || installation != nil || key != nil else { return nil }
        guard let app, let installation, let key else {
            problems.append(
                "a GitHub App needs SIDEKICK_GITHUB_APP_ID, SIDEKICK_GITHUB_INSTALLATION_ID and SIDEKICK_GITHUB_PRIVATE_KEY_FILE: give all three"
            )
            return nil
        }
        for (name, value) in [("SIDEKICK_GITHUB_APP_ID", app), ("SIDEKICK_GITHUB_INSTALLATION_ID", installation)]
        where !value.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") }) {
            problems.append("\(name) is \"\(value.printable(limit: 80))\": give the id that GitHub shows")
        }
        var api = text(.githubAPI) ?? Setting.githubAPI.defaultValue ?? ""
        while api.hasSuffix("/") { api.removeLast() }
        if !GitHubAppOptions.accepts(api: api) {
            problems.append("SIDEKICK_GITHUB_API_URL is \"\(api.printable(limit: 80))\": give an https URL")
        }
        if text(.password) != nil || text(.token) != nil {
            problems.append("both a GitHub App and a password or token are given: give one of them")
        }
        return GitHubAppOptions(app: app, installation: installation, key: key, api: api)
    }

    mutating func ssh() -> SSHOptions {
        SSHOptions(
            key: secret(.sshKey), keys: text(.sshKeysFile), knownHosts: secret(.sshKnownHosts),
            home: environment["HOME"],
            agentSocket: environment["SSH_AUTH_SOCK"], searchPath: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        )
    }

    mutating func trust() -> TrustSettings? {
        let file = text(.trustedKeysFile)
        let verification =
            text(.verify) == nil
            ? (file == nil ? .off : .commit) : TrustSettings.Verification(rawValue: choice(.verify))
        guard let verification, verification != .off else { return nil }
        guard let file else {
            problems.append("SIDEKICK_VERIFY needs keys: give SIDEKICK_TRUSTED_KEYS_FILE")
            return nil
        }
        return TrustSettings(verification: verification, keysFile: file)
    }

    mutating func tls() -> TLSOptions {
        let options = TLSOptions(authorities: text(.caFile), certificate: text(.tlsCertFile), key: text(.tlsKeyFile))
        if (options.certificate == nil) != (options.key == nil) {
            problems.append("a certificate needs its key: give both SIDEKICK_TLS_CERT_FILE and SIDEKICK_TLS_KEY_FILE")
        }
        return options
    }
}

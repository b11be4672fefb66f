import Git
import Glibc
import Publishing
import Platform
import Upstream

/// Reads values by their declarations and collects every problem, so that a user mends them all at once.
struct SettingsReader {
    private let flags: [String: String]
    private let environment: [String: String]
    /// Variables of the environment that are not UTF-8.
    private let odd: [String: [UInt8]]
    private(set) var problems: [String] = []
    private(set) var warnings: [String] = []

    init(flags: [String: String], environment: [String: String], odd: [String: [UInt8]] = [:]) {
        self.odd = odd
        self.flags = flags
        self.environment = environment
        checkNames()
        checkEnds()
    }

    mutating func settings() -> Settings? {
        let repository = url()
        let destination = required(.destination)
        let delay = duration(.delay, atLeast: 0.1)
        let timeout = duration(.timeout, atLeast: 0.1)
        let backoff = duration(.backoff, atLeast: 0.1)
        let deadline = duration(.deadline, atLeast: 0.1)
        let publishing = publishing()
        let credentials = credentials()
        let (ssh, tls, app, edge) = (ssh(), tls(), app(), edge())
        let hooks = hooks()
        let (depth, maxPack) = (count(.depth), size(.maxPack))
        let (fastForwardOnly, format, level) = (toggle(.fastForwardOnly), choice(.logFormat), choice(.logLevel))
        let ref = ref()
        guard problems.isEmpty, let repository, let destination else { return nil }
        var upstream = UpstreamOptions(
            url: repository, ref: ref, credentials: credentials, ssh: ssh, tls: tls, proxies: ProxyRules(environment),
            timeout: timeout)
        upstream.app = app
        return Settings(
            destination: destination, state: text(.state), delay: delay, backoff: backoff, deadline: deadline,
            depth: depth, fastForwardOnly: fastForwardOnly, maxPack: maxPack,
            upstream: upstream, publishing: publishing, edge: edge, hooks: hooks,
            logFormat: LogFormat(rawValue: format) ?? .text,
            logLevel: level
        )
    }

    /// The value that was given; an empty one counts as none, because compose files pass `${NAME:-}`. Secrets and files of
    /// variables bring the end of their line along, which belongs to no value.
    mutating func text(_ setting: Setting) -> String? {
        (flags[setting.name] ?? environment[setting.name]).flatMap { value in
            let text = Self.withoutLineEnd(value)
            return text.isEmpty ? nil : text
        }
    }

    private static func withoutLineEnd(_ value: String) -> String {
        var bytes = value.utf8[...]
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
            bytes = bytes.dropLast()
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What a shell takes away and a file of variables leaves: quotes and blanks around a value, which would otherwise be the
    /// name of a folder or half of an address.
    private mutating func checkEnds() {
        let lines: [Setting] = [.beforePublish, .onPublish]
        for setting in Setting.all
        where setting.kind != .secret && setting.kind != .patterns && !lines.contains(setting) {
            guard let text = text(setting) else { continue }
            if odd[setting.name] != nil, flags[setting.name] == nil {
                // Of these, references alone are bytes to us.
                if setting != .ref { problems.append("\(setting.name) is not UTF-8: give it in UTF-8") }
                continue
            }
            let bytes = Array(text.utf8)
            // An address may have a password in it.
            let shown = setting == .repository ? "" : ": \(text.printable(limit: 80))"
            if let first = bytes.first, bytes.count > 1, first == bytes.last, "\"'".utf8.contains(first) {
                problems.append(
                    "\(setting.name) has quotes around it, which are part of the value here, give it without them\(shown)"
                )
            } else if bytes.first == UInt8(ascii: " ") || bytes.last == UInt8(ascii: " ") {
                problems.append("\(setting.name) has a blank at an end, give it without\(shown)")
            } else if let control = text.unicodeScalars.first(where: { $0.value < 0x20 || $0.value == 0x7f }) {
                problems.append("\(setting.name) has \(control.escaped(asASCII: true)) in it: give it in one line")
            }
        }
    }

    mutating func required(_ setting: Setting) -> String? {
        if let text = text(setting) { return text }
        let near = environment.keys.sorted().first {
            SettingNames.nearest(to: $0, among: [setting.name]) != nil && $0 != setting.name
        }
        let hint = near.map { " (\($0) is set: is that a misspelling?)" } ?? ""
        problems.append("\(setting.name) is required\(hint): \(setting.help.lowercasedFirst)")
        return nil
    }

    // MARK: one kind of value each

    private mutating func value<Value>(
        _ setting: Setting, accepted: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard let text = text(setting) ?? setting.standard else { return nil }
        if let value = parse(text) { return value }
        problems.append("\(setting.name) is \"\(text.printable(limit: 80))\": give \(accepted)")
        return nil
    }

    private mutating func duration(_ setting: Setting, atLeast least: Double = 0) -> Double {
        let bound = least > 0 ? ", at least 100ms" : ""
        return value(setting, accepted: SettingValue.durations + bound) { text in
            SettingValue.duration(text).flatMap { $0 >= least ? $0 : nil }
        } ?? 0
    }

    private mutating func count(_ setting: Setting) -> Int {
        value(setting, accepted: SettingValue.counts, SettingValue.count) ?? 0
    }

    private mutating func size(_ setting: Setting) -> Int64 {
        value(setting, accepted: SettingValue.sizes, SettingValue.size) ?? 0
    }

    private mutating func toggle(_ setting: Setting) -> Bool {
        value(setting, accepted: SettingValue.toggles, SettingValue.toggle) ?? false
    }

    private mutating func choice(_ setting: Setting) -> String {
        guard case .choice(let choices) = setting.kind else { return "" }
        return value(setting, accepted: choices.joined(separator: ", ")) { choices.contains($0) ? $0 : nil } ?? ""
    }

    // MARK: what takes more than its text

    private mutating func url() -> RemoteURL? {
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

    private mutating func ref() -> RefSelection {
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

    private mutating func publishing() -> PublishingOptions {
        var options = PublishingOptions()
        options.layout = Layout(rawValue: choice(.layout))
        options.subdirectory = subdirectory()
        options.selection = selection()
        options.modificationTimes = ModificationTimes(rawValue: choice(.mtime)) ?? options.modificationTimes
        options.symlinks = SymlinkPolicy(rawValue: choice(.symlinks)) ?? options.symlinks
        options.limits = Limits(files: count(.maxFiles), size: size(.maxSize), blob: size(.maxBlob))
        options.grace = duration(.grace)
        options.keepPrevious = duration(.keepPrevious)
        options.keepLost = duration(.keepLost)
        return options
    }

    private mutating func subdirectory() -> String {
        let parts = (text(.subdirectory) ?? "").parts(at: "/", leavingOutEmpty: true).filter { $0 != "." }
        if parts.contains("..") {
            problems.append("SIDEKICK_SUBDIRECTORY has a \"..\" in it: give a folder inside the repository")
        }
        return parts.joined(separator: "/")
    }

    private mutating func selection() -> PathSelection {
        do throws(InvalidPatterns) {
            return try PathSelection(include: patterns(.include), exclude: patterns(.exclude))
        } catch {
            for (setting, invalid) in [(Setting.include, error.include), (.exclude, error.exclude)] {
                for invalid in invalid {
                    problems.append(
                        "\(setting.name) has \"\(invalid.pattern.printable(limit: 80))\", which \(invalid.reason.rawValue):"
                            + " give \(SettingValue.patterns)")
                }
            }
            return .everything
        }
    }

    /// A flag is a pattern as it stands, and there is one a line here; only in a variable a comma is a separator.
    private mutating func patterns(_ setting: Setting) -> [String] {
        guard let text = text(setting) else { return [] }
        guard flags[setting.name] != nil else { return SettingValue.patterns(text) }
        return text.utf8.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }
    }

    private mutating func credentials() -> CredentialSource {
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

    private mutating func app() -> GitHubAppOptions? {
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
        var api = text(.githubAPI) ?? Setting.githubAPI.standard ?? ""
        while api.hasSuffix("/") { api.removeLast() }
        if !GitHubAppOptions.accepts(api: api) {
            problems.append("SIDEKICK_GITHUB_API_URL is \"\(api.printable(limit: 80))\": give an https URL")
        }
        if text(.password) != nil || text(.token) != nil {
            problems.append("both a GitHub App and a password or token are given: give one of them")
        }
        return GitHubAppOptions(app: app, installation: installation, key: key, api: api)
    }

    private mutating func ssh() -> SSHOptions {
        SSHOptions(
            key: secret(.sshKey), keys: text(.sshKeysFile), knownHosts: secret(.sshKnownHosts),
            home: environment["HOME"],
            agentSocket: environment["SSH_AUTH_SOCK"], searchPath: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        )
    }

    private mutating func tls() -> TLSOptions {
        let options = TLSOptions(authorities: text(.caFile), certificate: text(.tlsCertFile), key: text(.tlsKeyFile))
        if (options.certificate == nil) != (options.key == nil) {
            problems.append("a certificate needs its key: give both SIDEKICK_TLS_CERT_FILE and SIDEKICK_TLS_KEY_FILE")
        }
        return options
    }

    private mutating func edge() -> EdgeSettings? {
        let secret = secret(.webhookSecret)
        let peers = value(.peers, accepted: PeerAddress.accepted, PeerAddress.list) ?? []
        if !peers.isEmpty, secret == nil || text(.listen) == nil {
            problems.append("SIDEKICK_PEERS passes webhooks on: give SIDEKICK_LISTEN and SIDEKICK_WEBHOOK_SECRET, too")
        }
        guard let address = value(.listen, accepted: ListenAddress.accepted, ListenAddress.init) else {
            if secret != nil, text(.listen) == nil {
                warnings.append("SIDEKICK_WEBHOOK_SECRET is set and SIDEKICK_LISTEN is not: nobody can send a webhook")
            }
            return nil
        }
        return EdgeSettings(address: address, secret: secret, peers: peers)
    }

    private mutating func hooks() -> HookSettings {
        let url = secret(.notifyURL)
        if case .value(let text)? = url, !HTTPSender.accepts(text.reveal()) {
            problems.append("SIDEKICK_NOTIFY_URL is something else: give an http or https URL, without a login in it")
        }
        let signature = secret(.notifySecret)
        if signature != nil, url == nil {
            warnings.append("SIDEKICK_NOTIFY_SECRET is set and SIDEKICK_NOTIFY_URL is not: there is nothing to sign")
        }
        let names = value(.hookEnvironment, accepted: HookSettings.acceptedNames, HookSettings.names) ?? []
        for name in names where environment[name] == nil {
            warnings.append("SIDEKICK_HOOK_ENVIRONMENT names \(name), which is not set")
        }
        return HookSettings(
            beforePublish: command(.beforePublish), onPublish: command(.onPublish),
            receiver: url.map { HookSettings.Receiver(url: $0, secret: signature) }, touchFile: text(.touchFile),
            timeout: duration(.hookTimeout, atLeast: 0.1),
            searchPath: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", home: environment["HOME"],
            environment: environment.filter { names.contains($0.key) })
    }

    private mutating func command(_ setting: Setting) -> HookCommand? {
        let hasShell = access("/bin/sh", X_OK) == 0
        let accepted =
            HookCommand.accepted + (hasShell ? ", or a line for sh" : "; there is no /bin/sh here for a line")
        return value(setting, accepted: accepted) { HookCommand($0, hasShell: hasShell) }
    }

    private mutating func secret(_ setting: Setting) -> CredentialSource.Place? {
        let value = text(setting).map { CredentialSource.Place.value(Secret($0)) }
        guard let name = setting.fileName, let path = environment[name], !path.isEmpty else { return value }
        if value != nil { problems.append("both \(setting.name) and \(name) are set: give one of them") }
        return .file(path)
    }

    private mutating func checkNames() {
        let known = Setting.all.flatMap { [$0.name, $0.fileName].compactMap { $0 } }
        for name in environment.keys.sorted() where name.hasPrefix(SettingNames.prefix) && !known.contains(name) {
            switch SettingNames.verdict(on: name, known: known) {
            case .ignored: continue
            case .misspelled(let near): problems.append("\(name) is not a setting: did you mean \(near)?")
            case .unknown: warnings.append("\(name) is not a setting of this version and is ignored")
            }
        }
    }
}

extension String {
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}

import Content
import Git
import Glibc
import Publishing
import Platform
import Upstream

/// Reads values by their declarations and collects every problem, so that a user mends them all at once.
struct SettingsReader {
    let flags: [String: String]
    let environment: [String: String]
    /// Variables of the environment that are not UTF-8.
    let odd: [String: [UInt8]]
    var problems: [String] = []
    var warnings: [String] = []

    /// - Parameter only: the settings that are wanted; `nil` for all, and then no other may have a name like theirs.
    init(
        flags: [String: String], environment: [String: String], odd: [String: [UInt8]] = [:], only: [Setting]? = nil
    ) {
        self.odd = odd
        self.flags = flags
        self.environment = environment
        if only == nil { checkNames() }
        for setting in only ?? Setting.all { checkEnds(of: setting) }
    }

    mutating func settings() -> Settings? {
        let repository = url()
        let destination = required(.destination)
        let delay = duration(.delay, atLeast: .milliseconds(100))
        let timeout = duration(.timeout, atLeast: .milliseconds(100))
        let backoff = duration(.backoff, atLeast: .milliseconds(100))
        let deadline = duration(.deadline, atLeast: .milliseconds(100))
        let publishing = publishing()
        let credentials = credentials()
        let (ssh, tls, app, edge) = (ssh(), tls(), app(), edge())
        let (hooks, heartbeat) = (hooks(), heartbeat())
        let (depth, maxPack) = (count(.depth), size(.maxPack))
        let (fastForwardOnly, format, level) = (toggle(.fastForwardOnly), choice(.logFormat), choice(.logLevel))
        let (ref, lfsAddress, trust) = (ref(), lfsAddress(), trust())
        guard problems.isEmpty, let repository, let destination else { return nil }
        var upstream = UpstreamOptions(
            url: repository, ref: ref, credentials: credentials, ssh: ssh, tls: tls, proxies: ProxyRules(environment),
            timeout: timeout)
        (upstream.app, upstream.lfs) = (app, lfsAddress)
        return Settings(
            destination: destination, state: text(.state), delay: delay, backoff: backoff, deadline: deadline,
            depth: depth, fastForwardOnly: fastForwardOnly, maxPack: maxPack,
            upstream: upstream, trust: trust, publishing: publishing, edge: edge, hooks: hooks,
            heartbeat: heartbeat,
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
    private mutating func checkEnds(of setting: Setting) {
        if let name = setting.fileName, let path = environment[name], !path.isEmpty {
            check(Self.withoutLineEnd(path), of: name, isShown: true)
        }
        let lines: [Setting] = [.beforePublish, .onPublish]
        guard setting.kind != .secret, setting.kind != .patterns, !lines.contains(setting), let text = text(setting)
        else { return }
        if odd[setting.name] != nil, flags[setting.name] == nil {
            // Of these, references alone are bytes to us.
            if setting != .ref { problems.append("\(setting.name) is not UTF-8: give it in UTF-8") }
            return
        }
        // An address may have a password in it.
        check(text, of: setting.name, isShown: ![.repository, .lfsURL].contains(setting))
    }

    private mutating func check(_ text: String, of name: String, isShown: Bool) {
        let bytes = Array(text.utf8)
        let shown = isShown ? ": \(text.printable(limit: 80))" : ""
        if let first = bytes.first, bytes.count > 1, first == bytes.last, "\"'".utf8.contains(first) {
            problems.append(
                "\(name) has quotes around it, which are part of the value here, give it without them\(shown)")
        } else if bytes.first == UInt8(ascii: " ") || bytes.last == UInt8(ascii: " ") {
            problems.append("\(name) has a blank at an end, give it without\(shown)")
        } else if let control = text.unicodeScalars.first(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            problems.append("\(name) has \(control.escaped(asASCII: true)) in it: give it in one line")
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

    mutating func value<Value>(
        _ setting: Setting, accepted: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard let text = text(setting) ?? setting.defaultValue else { return nil }
        if let value = parse(text) { return value }
        problems.append("\(setting.name) is \"\(text.printable(limit: 80))\": give \(accepted)")
        return nil
    }

    mutating func duration(_ setting: Setting, atLeast least: Duration = .zero) -> Duration {
        let bound = least > .zero ? ", at least 100ms" : ""
        return value(setting, accepted: SettingValue.durations + bound) { text in
            SettingValue.duration(text).flatMap { $0 >= least ? $0 : nil }
        } ?? .zero
    }

    mutating func count(_ setting: Setting) -> Int {
        value(setting, accepted: SettingValue.counts, SettingValue.count) ?? 0
    }

    mutating func size(_ setting: Setting) -> Int64 {
        value(setting, accepted: SettingValue.sizes, SettingValue.size) ?? 0
    }

    mutating func toggle(_ setting: Setting) -> Bool {
        value(setting, accepted: SettingValue.toggles, SettingValue.toggle) ?? false
    }

    mutating func choice(_ setting: Setting) -> String {
        guard case .choice(let choices) = setting.kind else { return "" }
        return value(setting, accepted: choices.joined(separator: ", ")) { choices.contains($0) ? $0 : nil } ?? ""
    }

    // MARK: what takes more than its text

    private mutating func publishing() -> PublishingOptions {
        var options = PublishingOptions()
        options.layout = LayoutKind(rawValue: choice(.layout))
        options.recipe = Recipe(
            subdirectory: TreePath(subdirectory()), selection: selection(),
            modificationTimes: ModificationTimes(rawValue: choice(.mtime)) ?? .commit,
            symlinks: SymlinkPolicy(rawValue: choice(.symlinks)) ?? .skip,
            submodules: SubmodulePolicy(rawValue: choice(.submodules)) ?? .sameHost,
            lfs: LFSPolicy(rawValue: choice(.lfs)) ?? .on, compression: Compression(rawValue: choice(.compress)))
        options.setsSubmodules = text(.submodules) != nil
        options.setsLFS = text(.lfs) != nil
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
        if case .value(let text)? = url, !OneShotHTTPClient.accepts(text.reveal()) {
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
            timeout: duration(.hookTimeout, atLeast: .milliseconds(100)),
            searchPath: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", home: environment["HOME"],
            environment: environment.filter { names.contains($0.key) })
    }

    private mutating func heartbeat() -> CredentialSource.Place? {
        let url = secret(.heartbeatURL)
        if case .value(let text)? = url, !OneShotHTTPClient.accepts(text.reveal()) {
            problems.append(
                "SIDEKICK_HEARTBEAT_URL is something else: give an http or https URL, without a login in it")
        }
        return url
    }

    private mutating func command(_ setting: Setting) -> HookCommand? {
        let hasShell = access("/bin/sh", X_OK) == 0
        let accepted =
            HookCommand.accepted + (hasShell ? ", or a line for sh" : "; there is no /bin/sh here for a line")
        return value(setting, accepted: accepted) { HookCommand($0, hasShell: hasShell) }
    }

    mutating func secret(_ setting: Setting) -> CredentialSource.Place? {
        let value = text(setting).map { CredentialSource.Place.value(Secret($0)) }
        guard let name = setting.fileName, let path = environment[name].map(Self.withoutLineEnd), !path.isEmpty else {
            return value
        }
        if value != nil { problems.append("both \(setting.name) and \(name) are set: give one of them") }
        return .file(path)
    }

    private mutating func checkNames() {
        let known = Setting.all.flatMap { [$0.name, $0.fileName].compactMap { $0 } }
        for name in environment.keys.sorted() where !known.contains(name) {
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

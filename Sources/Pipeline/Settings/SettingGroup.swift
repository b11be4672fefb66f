/// Settings by what somebody wants to do who looks for one.
public struct SettingGroup: Sendable {
    /// A few words.
    public let title: String
    /// Those of it, the usual ones first.
    public let settings: [Setting]
    /// How many of them most people need to know.
    public let usual: Int

    private init(_ title: String, usual: Int, _ settings: [Setting]) {
        (self.title, self.usual, self.settings) = (title, usual, settings)
    }

    /// All of them, in the order in which a reader wants them.
    public static let all: [SettingGroup] = [
        SettingGroup("The three words", usual: 3, [.repository, .destination, .delay]),
        SettingGroup(
            "What is published", usual: 3,
            [.ref, .subdirectory, .exclude, .include, .submodules, .lfs, .lfsURL, .symlinks, .mtime, .compress]),
        SettingGroup(
            "How it is shown, and what is kept", usual: 1, [.layout, .state, .grace, .keepPrevious, .keepLost]),
        SettingGroup(
            "A login over https", usual: 2,
            [
                .token, .credentialsFile, .username, .password, .githubApp, .githubInstallation, .githubKey,
                .githubAPI, .caFile, .tlsCertFile, .tlsKeyFile,
            ]),
        SettingGroup("A login over ssh", usual: 2, [.sshKey, .sshKnownHosts, .sshKeysFile]),
        SettingGroup(
            "Who may publish", usual: 2, [.trustedKeysFile, .beforePublish, .verify, .fastForwardOnly]),
        SettingGroup(
            "A push that shows at once, health and metrics", usual: 2, [.listen, .webhookSecret, .peers]),
        SettingGroup(
            "Who is told", usual: 2,
            [
                .onPublish, .notifyURL, .notifySecret, .touchFile, .heartbeatURL, .hookTimeout, .hookEnvironment,
                .logLevel, .logFormat,
            ]),
        SettingGroup(
            "Bounds", usual: 0,
            [.timeout, .deadline, .backoff, .depth, .maxFiles, .maxSize, .maxBlob, .maxPack]),
    ]
}

extension Setting {
    /// Every setting, in the order of the groups.
    public static let all: [Setting] = SettingGroup.all.flatMap(\.settings)

    /// A value as somebody would give it.
    public var example: String { Self.examples[self] ?? defaultValue ?? "" }

    private static let examples: [Setting: String] = [
        .repository: "https://host/group/site.git", .destination: "/srv/www", .delay: "30s", .ref: "semver:^1.2",
        .subdirectory: "public", .exclude: "drafts/, *.psd", .include: "docs/, *.html", .submodules: "on",
        .lfs: "off", .lfsURL: "https://lfs.host/group/site", .symlinks: "refuse", .mtime: "content",
        .compress: "gzip",
        .layout: "exchange", .state: "/var/lib/sidekick", .grace: "10s", .keepPrevious: "1h", .keepLost: "24h",
        .token: "glpat-0123456789", .credentialsFile: "/run/secrets/logins", .username: "reader",
        .password: "a password", .githubApp: "123456", .githubInstallation: "12345678",
        .githubKey: "-----BEGIN RSA PRIVATE KEY-----", .githubAPI: "https://github.host/api/v3",
        .caFile: "/etc/ssl/company.pem", .tlsCertFile: "/run/secrets/client.pem",
        .tlsKeyFile: "/run/secrets/client.key", .sshKey: "-----BEGIN OPENSSH PRIVATE KEY-----",
        .sshKnownHosts: "github.com ssh-ed25519 AAAA", .sshKeysFile: "/run/secrets/keys",
        .trustedKeysFile: "/etc/sidekick/trusted-keys", .beforePublish: "[\"/hooks/check-links\", \".\"]",
        .verify: "both", .fastForwardOnly: "on", .listen: ":8081", .webhookSecret: "a long random word",
        .peers: "sidekick-peers:8081", .onPublish: "[\"/hooks/purge-cdn\"]",
        .notifyURL: "https://chat.host/hooks/abc", .notifySecret: "whsec_c2VjcmV0", .touchFile: "/srv/published",
        .heartbeatURL: "https://monitor.host/ping/abc", .hookTimeout: "5m", .hookEnvironment: "CDN_ZONE,LANG",
        .logLevel: "debug", .logFormat: "json", .timeout: "2m", .deadline: "30m", .backoff: "1m", .depth: "10",
        .maxFiles: "50000", .maxSize: "2GB", .maxBlob: "100MB", .maxPack: "1GB",
    ]
}

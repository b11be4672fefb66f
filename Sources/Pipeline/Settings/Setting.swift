// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Each declaration carries its own description, which a comment would only repeat.

import Platform

/// The declaration of one setting: its names, what it means and what it takes. Parsing, `--help`, validation and the
/// `docs/settings.md` all read it.
public struct Setting: Sendable, Hashable {
    /// What a value must look like.
    public enum Kind: Sendable, Hashable {
        case text, duration, count, size, choice([String]), toggle, secret, patterns
    }

    /// The environment variable.
    public let name: String
    /// The flag without its dashes; `nil` for what must not be seen by other users of the machine.
    public let flag: String?
    /// What stands for the value in `--help`.
    public let placeholder: String
    /// The value when nothing is given, as a user would write it; `nil` for none.
    public let defaultValue: String?
    /// What to say where there is no value to show.
    public let defaultText: String
    /// What it means, in one or two sentences.
    public let help: String
    /// What a value must look like.
    public let kind: Kind

    private init(
        _ name: String, _ placeholder: String = "", kind: Kind = .text, defaultValue: String? = nil,
        or defaultText: String = "", _ help: String
    ) {
        self.name = name
        let words = name.hasPrefix("SIDEKICK_") ? name.dropFirst("SIDEKICK_".count) : name[...]
        flag = kind == .secret ? nil : words.lowercased().parts(at: "_").joined(separator: "-")
        self.placeholder = placeholder
        self.defaultValue = defaultValue
        self.defaultText = defaultText
        self.help = help
        self.kind = kind
    }

    public static let repository = Setting(
        "REPOSITORY", "url", or: "required",
        "The repository: an https, http, ssh, git or file URL, user@host:path, or a local path.")
    public static let destination = Setting(
        "DESTINATION", "path", or: "required", "The path that the web server serves.")
    public static let delay = Setting(
        "DELAY", "time", kind: .duration, defaultValue: "60",
        "The pause between passes, at least 100ms: seconds, or a number with ms, s, m or h.")
    public static let ref = Setting(
        "SIDEKICK_REF", "ref", or: "the remote's HEAD",
        "A branch, a tag, a full reference name, a full commit id, or semver:RANGE for the highest tag in it, such as semver:^1.2."
    )
    public static let subdirectory = Setting(
        "SIDEKICK_SUBDIRECTORY", "path", or: "the root", "The folder of the repository that is published.")
    public static let include = Setting(
        "SIDEKICK_INCLUDE", "pattern", kind: .patterns, or: "everything",
        "Publish only what a pattern of gitignore matches, below the subdirectory. Repeatable; in the variable one a line, or with commas between."
    )
    public static let exclude = Setting(
        "SIDEKICK_EXCLUDE", "pattern", kind: .patterns, or: "nothing",
        "Do not publish what a pattern of gitignore matches, included or not. Repeatable, as above.")
    public static let layout = Setting(
        "SIDEKICK_LAYOUT", "layout", kind: .choice(["auto", "link", "exchange", "folder"]), defaultValue: "auto",
        "link: DESTINATION is a symbolic link that switches in one step. exchange: a real folder that does. folder: a real folder whose files are renamed over."
    )
    public static let state = Setting(
        "SIDEKICK_STATE", "path", or: ".sidekick/NAME beside DESTINATION",
        "Where the git store, the status and lost+found live.")
    public static let timeout = Setting(
        "SIDEKICK_TIMEOUT", "time", kind: .duration, defaultValue: "60s", "The longest that a remote may be silent.")
    public static let deadline = Setting(
        "SIDEKICK_DEADLINE", "time", kind: .duration, defaultValue: "1h",
        "The longest that a pass may take; before the first publish, the time over which a fetch must bring 1 kB a second."
    )
    public static let backoff = Setting(
        "SIDEKICK_BACKOFF", "time", kind: .duration, defaultValue: "10m",
        "The longest pause after failures, which double it each time from DELAY on.")
    public static let depth = Setting(
        "SIDEKICK_DEPTH", "count", kind: .count, defaultValue: "1",
        "Commits of history that a first fetch brings, where the transport can leave the rest out; 0 is all of it. Updates bring up to 8."
    )
    public static let fastForwardOnly = Setting(
        "SIDEKICK_FAST_FORWARD_ONLY", kind: .toggle, defaultValue: "off",
        "Refuse a rewritten history and keep serving the old tree.")
    public static let mtime = Setting(
        "SIDEKICK_MTIME", "policy", kind: .choice(["commit", "content"]), defaultValue: "commit",
        "Modification times of files: the commit's, or derived from the content so that replicas agree on every ETag.")
    public static let compress = Setting(
        "SIDEKICK_COMPRESS", "policy", kind: .choice(["off", "gzip"]), defaultValue: "off",
        "gzip: page.html.gz beside page.html and whatever else compresses, for servers that give it out, as nginx with gzip_static."
    )
    public static let symlinks = Setting(
        "SIDEKICK_SYMLINKS", "policy", kind: .choice(["skip", "refuse", "none"]), defaultValue: "skip",
        "Symbolic links that lead out of the tree: left out, or the commit is refused. none: no links at all.")
    public static let lfs = Setting(
        "SIDEKICK_LFS", "policy", kind: .choice(["off", "on"]), defaultValue: "on",
        "Whether a file of Git LFS is published, or the pointer to it.")
    public static let lfsURL = Setting(
        "SIDEKICK_LFS_URL", "url", or: "found as git-lfs does",
        "Where the server of Git LFS is, when it is not at REPOSITORY's host.")
    public static let submodules = Setting(
        "SIDEKICK_SUBMODULES", "which", kind: .choice(["off", "same-host", "on"]), or: "same-host",
        "Which submodules are published: none, those with REPOSITORY's scheme, host and port, or all. Any other is an empty folder."
    )
    public static let maxFiles = Setting(
        "SIDEKICK_MAX_FILES", "count", kind: .count, defaultValue: "1000000",
        "The most files that a commit may have; a pack may have four times as many objects.")
    public static let maxSize = Setting(
        "SIDEKICK_MAX_SIZE", "size", kind: .size, defaultValue: "10GB", "The most bytes that a commit's files may have."
    )
    public static let maxBlob = Setting(
        "SIDEKICK_MAX_BLOB", "size", kind: .size, defaultValue: "512MB",
        "The most bytes that one file, commit or tag may have; one that came as a delta is in memory while it is written."
    )
    public static let maxPack = Setting(
        "SIDEKICK_MAX_PACK", "size", kind: .size, defaultValue: "4GB", "The most bytes that one fetch may receive.")
    public static let grace = Setting(
        "SIDEKICK_GRACE", "time", kind: .duration, defaultValue: "2s",
        "How long a tree is kept after it was live, for those who still read it.")
    public static let keepPrevious = Setting(
        "SIDEKICK_KEEP_PREVIOUS", "time", kind: .duration, defaultValue: "10m",
        "How long the tree that was live before stays reachable for the assets of pages that are still open; 0 for not at all."
    )
    public static let keepLost = Setting(
        "SIDEKICK_KEEP_LOST", "time", kind: .duration, defaultValue: "720h",
        "How long files that were moved out of the way are kept in lost+found; 0 for ever.")
    public static let username = Setting(
        "SIDEKICK_USERNAME", "name", or: "the address's", "The user for a repository that asks for a login.")
    public static let password = Setting(
        "SIDEKICK_PASSWORD", kind: .secret, or: "the address's",
        "The password. Better SIDEKICK_PASSWORD_FILE, a file that holds it, read again at every pass.")
    public static let token = Setting(
        "SIDEKICK_TOKEN", kind: .secret, or: "none",
        "An access token, used as a password. Better SIDEKICK_TOKEN_FILE, read again at every pass.")
    public static let credentialsFile = Setting(
        "SIDEKICK_CREDENTIALS_FILE", "path", or: "none",
        "A file of logins by host, a line https://user:password@host each, as git's credential store writes it; read again at every pass. Without it and without a login, NETRC and ~/.netrc are looked into."
    )
    public static let githubApp = Setting(
        "SIDEKICK_GITHUB_APP_ID", "id", or: "none",
        "Log in as a GitHub App with this id, by tokens that are renewed before they end.")
    public static let githubInstallation = Setting(
        "SIDEKICK_GITHUB_INSTALLATION_ID", "number", or: "none", "The number of that App's installation.")
    public static let githubKey = Setting(
        "SIDEKICK_GITHUB_PRIVATE_KEY", kind: .secret, or: "none",
        "The App's private key. Better SIDEKICK_GITHUB_PRIVATE_KEY_FILE.")
    public static let githubAPI = Setting(
        "SIDEKICK_GITHUB_API_URL", "url", defaultValue: "https://api.github.com",
        "Where its API is; for GitHub Enterprise Server https://HOST/api/v3.")
    public static let sshKey = Setting(
        "SIDEKICK_SSH_KEY", kind: .secret, or: "ssh's own keys and agent",
        "The private key for a repository over ssh. Better SIDEKICK_SSH_KEY_FILE, whoever may read that file.")
    public static let sshKeysFile = Setting(
        "SIDEKICK_SSH_KEYS_FILE", "path", or: "none",
        "A file that names private keys, a path a line, before it the beginning of the addresses that it is for where it is not for all, such as git@host:team/. The longest that fits is tried first."
    )
    public static let sshKnownHosts = Setting(
        "SIDEKICK_SSH_KNOWN_HOSTS", kind: .secret, or: "~/.ssh/known_hosts and the system's",
        "The keys of hosts to trust, as known_hosts(5) has them; no other is. Or SIDEKICK_SSH_KNOWN_HOSTS_FILE.")
    public static let caFile = Setting(
        "SIDEKICK_CA_FILE", "path", or: "none", "Certificates of authorities to trust besides the system's, in PEM.")
    public static let tlsCertFile = Setting(
        "SIDEKICK_TLS_CERT_FILE", "path", or: "none", "Our own certificate, for a server that asks for one, in PEM.")
    public static let tlsKeyFile = Setting(
        "SIDEKICK_TLS_KEY_FILE", "path", or: "none", "The key of that certificate, in PEM.")
    public static let trustedKeysFile = Setting(
        "SIDEKICK_TRUSTED_KEYS_FILE", "path", or: "none",
        "The keys of those who may publish: lines of git's allowed signers file or of authorized_keys, and public key blocks of OpenPGP. Read again whenever a commit comes."
    )
    public static let verify = Setting(
        "SIDEKICK_VERIFY", "what", kind: .choice(["off", "commit", "tag", "both"]), or: "commit where keys are named",
        "What one of those keys must have signed: the commit, the annotated tag that SIDEKICK_REF names, or both.")
    public static let listen = Setting(
        "SIDEKICK_LISTEN", "address", or: "nothing",
        "Where health, metrics, status and webhooks are served over http: HOST:PORT, :PORT, or unix:/PATH. Port 0 takes a free one and logs it."
    )
    public static let webhookSecret = Setting(
        "SIDEKICK_WEBHOOK_SECRET", kind: .secret, or: "none: no webhooks",
        "What webhooks are signed with, and the token of POST /sync; several, a line each, while it is changed. Better SIDEKICK_WEBHOOK_SECRET_FILE, read again at every delivery."
    )
    public static let peers = Setting(
        "SIDEKICK_PEERS", "addresses", or: "none",
        "Where the other replicas listen, HOST:PORT with commas between; a name stands for all of its addresses, and one's own may be among them. Each webhook is passed on to them."
    )
    public static let beforePublish = Setting(
        "SIDEKICK_BEFORE_PUBLISH", "command", or: "none",
        "A command that looks at a commit's tree before it is shown, and keeps the old one by any status but 0. A line for sh, or a JSON array; it must not write there. Not in the layout folder."
    )
    public static let onPublish = Setting(
        "SIDEKICK_ON_PUBLISH", "command", or: "none",
        "A command that is run after each publish, again until it ends with status 0.")
    public static let notifyURL = Setting(
        "SIDEKICK_NOTIFY_URL", kind: .secret, or: "none",
        "Where publishes, failures and recoveries are POSTed to as JSON.")
    public static let notifySecret = Setting(
        "SIDEKICK_NOTIFY_SECRET", kind: .secret, or: "none", "What such a request is signed with.")
    public static let heartbeatURL = Setting(
        "SIDEKICK_HEARTBEAT_URL", kind: .secret, or: "none",
        "Where a GET goes after a pass that succeeded, once a minute at most, for a monitor that alarms when none comes."
    )
    public static let touchFile = Setting(
        "SIDEKICK_TOUCH_FILE", "path", or: "none", "A file whose modification time follows each publish.")
    public static let hookTimeout = Setting(
        "SIDEKICK_HOOK_TIMEOUT", "time", kind: .duration, defaultValue: "60s",
        "The longest that one run of a command, or one such request, may take.")
    public static let hookEnvironment = Setting(
        "SIDEKICK_HOOK_ENVIRONMENT", "names", or: "none",
        "Variables of sidekick's own environment that both commands are given, by name with commas between.")
    public static let logFormat = Setting(
        "SIDEKICK_LOG_FORMAT", "format", kind: .choice(["text", "json"]), defaultValue: "text",
        "How log lines are written."
    )
    public static let logLevel = Setting(
        "SIDEKICK_LOG_LEVEL", "level", kind: .choice(["debug", "info", "notice", "warning", "error"]),
        defaultValue: "info",
        "The least important line that is written.")

    /// The variable that names a file with the secret; `nil` for what is not one.
    public var fileName: String? { kind == .secret ? name + "_FILE" : nil }
}

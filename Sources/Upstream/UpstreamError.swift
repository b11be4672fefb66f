public import Git
import Glibc
import Platform

/// Why a remote did not give what was asked for.
public enum UpstreamError: Error, Sendable, CustomStringConvertible {
    case hostUnknown(host: String, reason: String)
    case unreachable(host: String, reason: String)
    /// Nothing came for so long.
    case stalled(host: String, time: Duration)
    case closed(host: String, reason: String)
    case authentication(address: String, hadCredential: Bool, says: String? = nil)
    /// The server leads to another origin, to which the login was not sent.
    case loginKeptBack(address: String, origin: String, says: String?)
    case certificate(address: String, reason: String)
    case forbidden(address: String, says: String? = nil)
    case repositoryNotFound(address: String, says: String? = nil)
    /// It says that what was asked for is elsewhere, where git would not follow either.
    case moved(address: String, location: String)
    case serverFailed(address: String, reason: String)
    case noCommits(address: String)
    /// HEAD names a branch that is not there, and others are.
    case headNowhere(branch: ReferenceName?, address: String)
    case refMissing(ref: String, address: String)
    case notACommit(ref: ReferenceName)
    case rewritten(from: ObjectID, to: ObjectID)
    /// The commit was advertised and then not delivered.
    case undelivered(commit: ObjectID)
    case secretUnreadable(path: String)
    /// A file of certificates or keys.
    case fileUnusable(path: String, reason: String)
    /// It asks to be left alone, for as long as it says, where it does.
    case busy(address: String, status: Int, retryAfter: Duration?, says: String? = nil)
    /// Something answers there, and it is no git server.
    case notGit(address: String, found: String)
    /// It gives out a repository's files, and runs nothing that speaks git's protocol.
    case dumbServer(address: String)
    /// Its objects have names of another kind.
    case objectFormat(String, address: String)
    /// A repository on this machine has a format that is not known.
    case extensionUnknown(UnsupportedExtension, address: String)
    /// What the environment says of a proxy is no address of one.
    case proxyInvalid
    /// The API gives this App no token.
    case appRefused(api: String, status: Int, says: String? = nil)
    /// What is given as the App's key is none.
    case appKeyUnusable
    /// A program that is needed is not there.
    case programMissing(String, reason: String)
    /// Nothing vouches for the host's key; what it shows, where it could be asked.
    case hostKeyUnknown(host: String, fingerprint: String?, line: String?)
    case hostKeyChanged(host: String, reason: String)
    case sshLogin(address: String, reason: String, hadKey: Bool)
    /// What is given as a private key for ssh.
    case keyUnusable(name: String, problem: KeyProblem)
    /// ssh finds no entry for this uid in passwd(5).
    case noPasswdEntry(reason: String)
    /// Its configuration names a command, and there is no shell to run it.
    case sshNeedsShell(reason: String)

    /// Why a text is no key that ssh could use by itself.
    public enum KeyProblem: Sendable {
        case passphrase, publicKey, putty, empty, otherText
    }

    /// What happened, in one sentence.
    public var description: String {
        switch self {
        case .hostUnknown(let host, let reason): "the name \(host) cannot be resolved: \(reason)"
        case .unreachable(let host, let reason): "cannot connect to \(host): \(reason)"
        case .stalled(let host, let time): "\(host) sent nothing for \(time.text)"
        case .closed(let host, let reason): "the connection to \(host) broke: \(reason)"
        case .authentication(let address, true, let words): "\(address) refused the credentials" + Self.saying(words)
        case .authentication(let address, false, let words):
            "\(address) asks for a login and none is configured" + Self.saying(words)
        case .loginKeptBack(let address, let origin, let words):
            "\(address) asks for a login; the configured one is for \(origin) and was not sent there"
                + Self.saying(words)
        case .certificate(let address, let reason):
            "the certificate of \(address) is not trusted: \(reason.printable())"
        case .forbidden(let address, let words): "\(address) forbids access" + Self.saying(words)
        case .repositoryNotFound(let address, let words): "there is no repository at \(address)" + Self.saying(words)
        case .moved(let address, let location): "\(address) has moved to \(location)"
        case .serverFailed(let address, let reason): "\(address) failed: \(reason.printable())"
        case .noCommits(let address): "\(address) has no commits"
        case .headNowhere(let branch, let address):
            "HEAD of \(address) names \(branch.map { "\($0), which" } ?? "a branch that") is not there"
        case .refMissing(let ref, let address): "\(address) has no branch, tag or commit \(ref.printable())"
        case .notACommit(let ref): "\(ref) does not name a commit"
        case .rewritten(let old, let new):
            "history was rewritten: \(new.abbreviated) does not follow \(old.abbreviated)"
        case .undelivered(let commit): "commit \(commit.abbreviated) was advertised and then not delivered"
        case .secretUnreadable(let path): "the secret in \(path) cannot be read"
        case .fileUnusable(let path, let reason): "\(path) cannot be used: \(reason)"
        case .busy(let address, let status, let time, let words):
            "\(address) is too busy (status \(status))"
                + (time == nil ? "" : ", and asks to be left alone for a while") + Self.saying(words)
        case .notGit(let address, let found):
            "\(address) is no git server: it answers with \(found.printable(limit: 80))"
        case .dumbServer(let address):
            "\(address) is served as plain files (git's dumb http protocol), which this version does not read"
        case .objectFormat(let format, let address):
            "\(address) has objects of the format \(format.printable(limit: 20))"
        case .extensionUnknown(let found, let address):
            "\(address) has the extension \(found.name.printable(limit: 40))=\(found.value.printable(limit: 40)), which this version does not know"
        case .proxyInvalid: "the proxy that the environment names is none"
        case .appRefused(let api, let status, let words):
            "\(api) gives the GitHub App no token (status \(status))" + Self.saying(words)
        case .appKeyUnusable: "the private key of the GitHub App is none"
        case .programMissing(let name, let reason): "\(name) cannot be started: \(reason.printable())"
        case .hostKeyUnknown(let host, let fingerprint?, _):
            "the host key of \(host) is not known; it shows \(fingerprint)"
        case .hostKeyUnknown(let host, nil, _): "the host key of \(host) is not known"
        case .hostKeyChanged(let host, let reason): "the host key of \(host) is not the one that is known: \(reason)"
        case .sshLogin(let address, let reason, _): "\(address) refused the ssh login: \(reason)"
        case .keyUnusable(let name, .passphrase):
            "the private key in \(name) asks for a passphrase, and nobody is there to type it"
        case .keyUnusable(let name, .publicKey): "what \(name) holds is a public key"
        case .keyUnusable(let name, .putty): "the private key in \(name) has PuTTY's format, which ssh does not read"
        case .keyUnusable(let name, .empty): "the private key in \(name) is empty"
        case .keyUnusable(let name, .otherText): "what \(name) holds is no private key"
        case .noPasswdEntry(let reason): "ssh does not run for this user: \(reason)"
        case .sshNeedsShell(let reason): "ssh is told to run a command, and there is no shell: \(reason)"
        }
    }

    /// What the server says for itself, behind what it did.
    private static func saying(_ words: String?) -> String { words.map { ": \($0)" } ?? "" }

    /// What a person can do about it.
    public var remedy: String {
        switch self {
        case .hostUnknown: "check the host name in REPOSITORY and the DNS of this machine"
        case .unreachable, .closed: "check that the server is up and reachable from here"
        case .stalled: "check the server and the network; SIDEKICK_TIMEOUT says how long to wait"
        case .authentication(_, true, _): "renew the password or token"
        case .loginKeptBack:
            "set REPOSITORY to the address that it is redirected to, or list a login for that one in SIDEKICK_CREDENTIALS_FILE"
        case .moved: "set REPOSITORY to the new address"
        case .authentication(_, false, _): "set SIDEKICK_TOKEN_FILE, or SIDEKICK_USERNAME and SIDEKICK_PASSWORD_FILE"
        case .certificate: "name the authority's certificate in SIDEKICK_CA_FILE, or renew the server's"
        case .forbidden: "give the user or token the right to read the repository"
        case .repositoryNotFound: "check REPOSITORY; many servers also say this when a login is missing"
        case .serverFailed: "check the server's own log"
        case .noCommits: "push a commit"
        case .headNowhere: "name the branch in SIDEKICK_REF, or make it the default branch at the server"
        case .refMissing: "check SIDEKICK_REF; a commit id must have all 40 digits and be reachable from a branch"
        case .notACommit: "point SIDEKICK_REF at a branch, a tag of a commit, or a commit"
        case .rewritten: "restore the branch, or unset SIDEKICK_FAST_FORWARD_ONLY to follow it"
        case .undelivered: "nothing: the next pass asks again"
        case .secretUnreadable: "check the file's name, and that this user may read it"
        case .fileUnusable: "check the file's name, what is in it, and that this user may read it"
        case .busy(_, _, let time?, _):
            "nothing: it is asked again in \(Int(time.inSeconds.rounded(.up))) s. A larger DELAY asks less often"
        case .busy: "nothing: it is asked again later. A larger DELAY asks less often"
        case .notGit: "check REPOSITORY: it must be what `git clone` takes; a page for people, or a login page, is not"
        case .dumbServer: "serve the repository by git-http-backend, which is part of git, or by a forge; or use ssh"
        case .objectFormat: "publish from a repository with SHA-1 objects: this version reads no others"
        case .extensionUnknown:
            "publish from a repository without it: a clone that git makes with its default format, or one over http or ssh"
        case .proxyInvalid: "give HTTPS_PROXY, HTTP_PROXY or ALL_PROXY as http://host:port or socks5://host:port"
        case .appRefused(_, 401, _): "check SIDEKICK_GITHUB_APP_ID, the App's key, and this machine's clock"
        case .appRefused: "check SIDEKICK_GITHUB_INSTALLATION_ID, and that the App is installed where the repository is"
        case .appKeyUnusable:
            "give the file that GitHub made for the App, an RSA key in PEM, as SIDEKICK_GITHUB_PRIVATE_KEY_FILE"
        case .programMissing(let name, _): "install \(name), or use an https address with a token"
        case .hostKeyUnknown(_, _, let line?):
            "compare it with what the host's operator says, and add this line to SIDEKICK_SSH_KNOWN_HOSTS: \(line)"
        case .hostKeyUnknown: "add its line to SIDEKICK_SSH_KNOWN_HOSTS or SIDEKICK_SSH_KNOWN_HOSTS_FILE"
        case .hostKeyChanged:
            "somebody may be in between: ask the host's operator before you replace the line in known_hosts"
        case .sshLogin(_, _, true):
            "give the key the right to read the repository, or set another SIDEKICK_SSH_KEY_FILE"
        case .sshLogin(_, _, false): "set SIDEKICK_SSH_KEY_FILE to a private key that may read the repository"
        case .keyUnusable(_, .passphrase):
            "make a key without one for this alone: ssh-keygen -t ed25519 -N '' -f KEY, its public half a deploy key"
        case .keyUnusable(_, .publicKey): "give the private half: the file beside it, without .pub"
        case .keyUnusable(_, .putty): "export it in PuTTYgen as an OpenSSH key"
        case .keyUnusable: "give the whole file that ssh-keygen made, from its BEGIN to its END"
        case .noPasswdEntry: "run as a user that passwd(5) has, or install libnss-wrapper"
        case .sshNeedsShell: "ProxyJump and ProxyCommand need the image with a shell; or reach the host directly"
        }
    }

    /// For how long the server must not be asked again, whoever wants it.
    public var retryAfter: Duration? {
        if case .busy(_, _, let time, _) = self { return time }
        return nil
    }

    /// The server wants other credentials.
    public var isAuthentication: Bool {
        switch self {
        case .authentication, .loginKeptBack, .forbidden, .sshLogin, .keyUnusable, .appRefused: true
        default: false
        }
    }

    /// Whether nothing was heard for too long.
    public var isSilence: Bool { if case .stalled = self { true } else { false } }

    /// It may well work the next time although nobody did anything.
    public var isTransient: Bool {
        switch self {
        case .hostUnknown, .unreachable, .stalled, .closed, .serverFailed, .undelivered, .busy: true
        default: false
        }
    }
}

import Git
import Platform

/// Why ssh ended, from what it said.
struct SSHFailure {
    private let text: String
    private let target: SSHTarget
    private let options: UpstreamOptions

    init(_ text: String, target: SSHTarget, options: UpstreamOptions) {
        self.text = text
        self.target = target
        self.options = options
    }

    /// A host that nothing vouches for; one whose key changed is known.
    var isUnknownHost: Bool {
        text.contains("Host key verification failed") && !text.contains("IDENTIFICATION HAS CHANGED")
    }

    /// - Parameter host: the key that the host shows, when it could be asked.
    func error(offering host: SSHHostKey?) -> UpstreamError {
        let address = options.url.address
        let name = target.knownHostsName
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("IDENTIFICATION HAS CHANGED") { return .hostKeyChanged(host: name, reason: lastLine) }
        if isUnknownHost { return .hostKeyUnknown(host: name, fingerprint: host?.fingerprint, line: host?.line) }
        if says("Could not resolve hostname") { return .hostUnknown(host: target.host, reason: lastLine) }
        if says("No user exists for uid") { return .noPasswdEntry(reason: lastLine) }
        if says("Permission denied", "Load key", "error in libcrypto", "Too many authentication failures") {
            return .sshLogin(
                address: address, reason: firstCause + lastLine,
                hadKey: options.ssh.key != nil || options.ssh.keys != nil)
        }
        if says("ProxyCommand", "ProxyJump", "/bin/sh: No such file") { return .sshNeedsShell(reason: lastLine) }
        if says("Connection refused", "No route to host", "Network is unreachable") {
            return .unreachable(host: options.url.authority, reason: lastLine)
        }
        if says("timed out") { return .stalled(host: options.url.authority, time: options.timeout) }
        if says(
            "does not appear to be a git repository", "epository not found", "no such repository", "could not be found")
        {
            return .repositoryNotFound(address: address)
        }
        return .closed(host: options.url.authority, reason: lastLine.isEmpty ? "ssh ended and said nothing" : lastLine)
    }

    /// What ssh says of a key before it tries without it, and the server refuses that.
    private var firstCause: String {
        guard let line = lines.first(where: { $0.hasPrefix("Load key ") || $0.hasPrefix("Load certificate ") }),
            let reason = line.utf8.firstRange(of: "\": ".utf8)
        else { return "" }
        let cause = "the key cannot be used, " + String(line.utf8[reason.upperBound...].asText) + "; "
        return cause.printable()
    }

    /// What matters stands last, but for what git and forges add for people who sit at a terminal.
    private var lastLine: String {
        let noise = ["and the repository exists", "Please make sure you have", "fatal: Could not read from remote"]
        return (lines.last { line in !noise.contains { line.hasPrefix($0) } } ?? "").printable()
    }

    private var lines: [String] {
        text.utf8.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.map(\.trimmingSpaces.asText)
            .filter { !$0.isEmpty }
    }
}

/// What a host shows of itself, to be compared with what its operator says.
struct SSHHostKey: Sendable {
    let fingerprint: String
    /// For a known_hosts file (sshd(8)).
    let line: String
}

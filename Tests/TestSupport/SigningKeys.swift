public import Foundation

/// Keys of OpenSSH's, and what they sign.
public struct SSHKeys: Sendable {
    /// Where they are.
    public let folder: TemporaryFolder

    /// None yet.
    public init() throws { folder = try TemporaryFolder() }

    /// Makes one.
    ///
    /// - Returns: the public key, as it stands in a file.
    public func make(_ name: String, _ type: String, bits: Int? = nil) throws -> String {
        try Command.run(
            ["ssh-keygen", "-q", "-t", type] + (bits.map { ["-b", "\($0)"] } ?? [])
                + ["-N", "", "-C", "\(name)@example.org", "-f", folder(name)])
        return try folder.read("\(name).pub").trimmingCharacters(in: .newlines)
    }

    /// Signs bytes, as git does.
    public func sign(_ payload: Data, by name: String, namespace: String = "git", hash: String = "sha512") throws
        -> [UInt8]
    {
        let file = folder(UUID().uuidString)
        try payload.write(to: URL(fileURLWithPath: file))
        try Command.run([
            "ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-O", "hashalg=\(hash)", "-f", folder(name), file,
        ])
        return Array(try Data(contentsOf: URL(fileURLWithPath: file + ".sig")))
    }

    /// Whether OpenSSH takes it: `ssh-keygen -Y find-principals`, and then `-Y verify` for each, as git does.
    public func judge(_ payload: Data, _ signature: [UInt8], _ allowed: Data, at time: Int64? = nil) throws -> Bool {
        let (list, file) = (folder(UUID().uuidString), folder(UUID().uuidString))
        try allowed.write(to: URL(fileURLWithPath: list))
        try Data(signature).write(to: URL(fileURLWithPath: file))
        let date = time.map { seconds -> [String] in
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = TimeZone(secondsFromGMT: 0)
            formatter.dateFormat = "yyyyMMddHHmmss"
            return ["-Overify-time=\(formatter.string(from: Date(timeIntervalSince1970: Double(seconds))))Z"]
        }
        let found = try Command.run(
            ["ssh-keygen", "-Y", "find-principals", "-f", list, "-s", file] + (date ?? []), mayFail: true)
        guard found.status == 0 else { return false }
        for principal in found.text.split(separator: "\n") {
            let result = try Command.run(
                ["ssh-keygen", "-Y", "verify", "-n", "git", "-f", list, "-I", String(principal), "-s", file]
                    + (date ?? []), input: payload, mayFail: true)
            if result.status == 0 { return true }
        }
        return false
    }
}

/// Keys of GnuPG's, in a home of their own.
public final class GPGHome {
    /// Where they are.
    public let folder: TemporaryFolder

    /// An empty one.
    public init() throws {
        folder = try TemporaryFolder()
        chmod(folder.path, 0o700)
    }

    deinit { _ = try? Command.run(["gpgconf", "--homedir", folder.path, "--kill", "all"], mayFail: true) }

    /// Runs gpg there.
    @discardableResult
    public func gpg(_ arguments: String..., input: Data? = nil, at time: String? = nil, mayFail: Bool = false) throws
        -> Command.Result
    {
        try Command.run(
            ["gpg", "--homedir", folder.path, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
                + (time.map { ["--faked-system-time", $0] } ?? []) + arguments, input: input, mayFail: mayFail)
    }

    /// The public key block of a key.
    public func publicKey(_ name: String) throws -> Data { try gpg("--armor", "--export", name).output }

    /// Signs bytes, as git does.
    public func sign(_ payload: Data, by name: String, at time: String? = nil, hash: String = "SHA256") throws
        -> [UInt8]
    {
        Array(
            try gpg(
                "--armor", "--detach-sign", "--digest-algo", hash, "--local-user", name, input: payload, at: time
            ).output)
    }
}

import Foundation

/// A real sshd on loopback, with host keys of its own and one user: whoever runs the tests.
public final class SSHServer: Sendable {
    /// Where it listens.
    public let port: UInt16
    /// Host keys, user keys and logs.
    public let folder: TemporaryFolder
    private let process: ChildProcess

    /// The kinds of key that are tried.
    public static let kinds = ["ed25519", "rsa"]

    /// Made once: they are not what is tried.
    private static let keys = Result {
        let folder = try TemporaryFolder()
        for name in ["host_ed25519", "host_rsa", "user_ed25519", "user_rsa", "other_ed25519"] {
            let kind = String(name.split(separator: "_")[1])
            try Command.run(["ssh-keygen", "-q", "-t", kind, "-b", "2048", "-N", "", "-f", folder(name)])
        }
        return folder
    }

    /// Copies the keys and starts it.
    ///
    /// - Parameter takesVersion: whether clients may say which version of git's protocol they want, as Debian's default has it
    ///   not.
    /// - Parameter programs: a folder in which programs are looked for first.
    public init(takesVersion: Bool = true, programs: String? = nil) async throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        let keys = try Self.keys.get()
        for name in try FileManager.default.contentsOfDirectory(atPath: keys.path) {
            try FileManager.default.copyItem(atPath: keys(name), toPath: folder(name))
        }
        let authorized = try Self.kinds.map { try folder.read("user_\($0).pub") }.joined()
        try folder.write(authorized, to: "authorized_keys")
        if geteuid() == 0 {
            try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        }
        (port, process) = try await Self.start(in: folder, takesVersion: takesVersion, programs: programs)
    }

    /// On a free port: another server may have taken it meanwhile, and would be talked to in its place.
    private static func start(
        in folder: TemporaryFolder, takesVersion: Bool, programs: String?
    ) async throws -> (UInt16, ChildProcess) {
        for _ in 0..<5 {
            let port = try freePort()
            try folder.write(
                """
                Port \(port)
                ListenAddress 127.0.0.1
                HostKey \(folder("host_ed25519"))
                HostKey \(folder("host_rsa"))
                PidFile none
                AuthorizedKeysFile \(folder("authorized_keys"))
                StrictModes no
                UsePAM no
                PasswordAuthentication no
                PermitRootLogin yes
                \(takesVersion ? "AcceptEnv GIT_PROTOCOL" : "")
                SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=* PATH=\(programs.map { $0 + ":" } ?? "")\(GitRepository.searchPath)
                LogLevel ERROR
                """, to: "sshd_config")
            let process = try ChildProcess(
                ["/usr/sbin/sshd", "-D", "-e", "-f", folder("sshd_config")], error: folder("log"))
            try await eventually("sshd listens") {
                process.status != nil || (try? connected(to: port)).map { close($0) } != nil
            }
            // One that cannot have the port says so and ends.
            try await Task.sleep(for: .milliseconds(50))
            if process.status == nil { return (port, process) }
        }
        throw TestFailure("sshd finds no port: \((try? folder.read("log")) ?? "")")
    }

    deinit { process.kill() }

    /// From now on its user has no shell: git's own takes what is asked for, and no `env`.
    public func allowOnlyGit() throws {
        let lines = try folder.read("authorized_keys").split(separator: "\n").map {
            "command=\"git-shell -c \\\"$SSH_ORIGINAL_COMMAND\\\"\" \($0)\n"
        }
        try folder.write(lines.joined(), to: "authorized_keys")
    }

    /// A line for known_hosts.
    public func knownHost(_ kind: String = "ed25519") throws -> String {
        let key = try folder.read("host_\(kind).pub").split(separator: " ").prefix(2).joined(separator: " ")
        return "[127.0.0.1]:\(port) \(key)\n"
    }

    /// The address of a repository by its absolute path.
    public func url(_ path: String) -> String { "ssh://\(NSUserName())@127.0.0.1:\(port)\(path)" }

    /// What it said.
    public var log: String { (try? folder.read("log")) ?? "" }
}

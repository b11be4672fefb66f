import Glibc

/// Who has started this process and wants to hear of it (sd_notify(3), systemd.service(5)): by datagrams to a socket.
public struct ServiceManager: Sendable, Equatable {
    private let socket: String
    /// How often it wants to hear that this process is alive; `nil` for never.
    public let interval: Duration?

    /// - Parameters:
    ///   - socket: NOTIFY_SOCKET: a path, or a name of Linux's own after `@`.
    ///   - watchdog: WATCHDOG_USEC, in microseconds.
    ///   - process: WATCHDOG_PID: for which process that is meant.
    /// - Returns: `nil` where nobody listens.
    public init?(socket: String?, watchdog: String?, process: String?) {
        guard let socket, socket.utf8.count > 1, ["/", "@"].contains(socket.utf8.first.map { Unicode.Scalar($0) })
        else { return nil }
        self.socket = socket
        let isOurs = process.map { Int32($0) == getpid() } ?? true
        // Twice in the time that it allows.
        interval = isOurs ? watchdog.flatMap { Int64($0) }.flatMap { $0 > 1 ? .microseconds($0 / 2) : nil } : nil
    }

    /// Tells it something. Nobody waits for it, and nothing fails with it.
    ///
    /// - Parameter state: assignments, a line each, such as `READY=1`.
    public func tell(_ state: String) {
        let file = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { return }
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socket.utf8)
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + name.count)
        let bytes = Array(state.utf8)
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(file, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, size)
            }
        }
    }
}

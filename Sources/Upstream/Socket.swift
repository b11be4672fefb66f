import Git
import Glibc
import Synchronization

/// Makes sockets whose every wait has a limit and ends at once when the pass is cancelled.
final class SocketDialer: StreamDialer {
    /// The longest time without a byte, in seconds.
    private let timeout: Double
    private let wake: WakePipe
    private let traffic: Traffic
    private let dialed = Mutex<Set<String>>([])

    init(timeout: Double, wake: WakePipe, counting traffic: Traffic) {
        self.timeout = timeout
        self.wake = wake
        self.traffic = traffic
    }

    func stream(host: String, port: String) -> any ByteStream {
        dialed.withLock { _ = $0.insert("\(host.lowercased()):\(port)") }
        traffic.ask(0)
        return Socket(host: host, port: port, timeout: timeout, wake: wake, traffic: traffic)
    }

    /// Whether every connection went to that one host and port. libgit2 follows a redirect and then asks for the
    /// credential of the address that it was given, not of the one that it talks to.
    func reachedOnly(_ authority: String) -> Bool { dialed.withLock { $0.isSubset(of: [authority]) } }
}

/// A TCP connection that never blocks but in poll(2).
final class Socket: ByteStream {
    private let host: String
    private let port: String
    private let timeout: Double
    private let wake: WakePipe
    private let traffic: Traffic
    private var descriptor: Int32 = -1

    init(host: String, port: String, timeout: Double, wake: WakePipe, traffic: Traffic) {
        self.host = host
        self.port = port
        self.timeout = timeout
        self.wake = wake
        self.traffic = traffic
    }

    deinit { close() }

    /// Tries the host's addresses in the resolver's order; the limit is for all of them together.
    func connect() throws {
        let start = monotonicSeconds()
        let addresses = try Resolver.resolve(host: host, port: port, timeout: timeout, wake: wake)
        var failure = UpstreamError.hostUnknown(host: host, reason: "no address")
        for (index, address) in addresses.enumerated() {
            // One address that swallows everything must not use up the time of the one that works.
            let left = (timeout - (monotonicSeconds() - start)) / Double(addresses.count - index)
            guard left > 0 else { break }
            do throws(UpstreamError) {
                try connect(to: address, within: left)
                return
            } catch {
                close()
                failure = error
                if Task.isCancelled { throw CancellationError() }
            }
        }
        throw failure
    }

    private func connect(to address: SocketAddress, within seconds: Double) throws(UpstreamError) {
        descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw unreachable(errno) }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        let code = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        if code == 0 { return }
        guard errno == EINPROGRESS else { throw unreachable(errno) }
        switch wait(for: Int16(POLLOUT), seconds: seconds) {
        case .ready: break
        case .cancelled, .late: throw .unreachable(host: host, reason: "no answer")
        }
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        guard error == 0 else { throw unreachable(error) }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count >= 0 {
                traffic.receive(count)
                return count
            }
            try waitOrThrow(for: Int16(POLLIN))
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws -> Int {
        while true {
            let count = send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                traffic.send(count)
                return count
            }
            try waitOrThrow(for: Int16(POLLOUT))
        }
    }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    private func waitOrThrow(for events: Int16) throws {
        if errno == EINTR { return }
        guard errno == EAGAIN else {
            throw UpstreamError.closed(host: host, reason: String(cString: strerror(errno)))
        }
        switch wait(for: events, seconds: timeout) {
        case .ready: return
        case .cancelled: throw CancellationError()
        case .late: throw UpstreamError.stalled(host: host, seconds: timeout)
        }
    }

    private func unreachable(_ code: Int32) -> UpstreamError {
        .unreachable(host: "\(host):\(port)", reason: String(cString: strerror(code)))
    }

    private func wait(for events: Int16, seconds: Double) -> Wait {
        Wait.forEvents(events, on: descriptor, wake: wake, seconds: seconds)
    }
}

/// How a wait ended.
enum Wait {
    case ready, cancelled, late

    static func forEvents(_ events: Int16, on descriptor: Int32, wake: WakePipe, seconds: Double) -> Wait {
        let end = monotonicSeconds() + seconds
        while true {
            var descriptors = [
                pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor, events: events, revents: 0),
            ]
            let left = end - monotonicSeconds()
            guard left > 0 else { return .late }
            let count = poll(&descriptors, 2, Int32(min(left * 1000 + 1, 86_400_000)))
            if count < 0 && errno != EINTR { return .ready }
            if count <= 0 { continue }
            return descriptors[0].revents != 0 ? .cancelled : .ready
        }
    }
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

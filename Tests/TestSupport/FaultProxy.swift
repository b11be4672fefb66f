import Foundation

/// Sits between a client and a server on this machine, and forwards until it is told to stop doing so.
public final class FaultProxy: @unchecked Sendable {
    /// What it does with bytes from the server.
    public enum Fault: Sendable, Equatable {
        case none
        /// Forwards so many bytes of the answers, then nothing more, the connection kept open.
        case stall(after: Int)
        /// Forwards so many bytes of the answers, then closes.
        case cut(after: Int)
        /// So many bytes a second.
        case slow(bytesPerSecond: Int)
        /// Changes one bit of the answers, at that byte.
        case flip(at: Int)
        /// Answers itself, with this, and closes.
        case answer(String)
        /// Answers itself, with this and then with the same line for ever.
        case endless(String)
    }

    /// Where it listens.
    public let port: UInt16
    private let server: UInt16
    private let hidesVersion: Bool
    private let isConnectProxy: Bool
    private let listener: Int32
    private let lock = NSLock()
    private var current: Fault
    private var connections: [Int32] = []
    private var isClosed = false
    private var accepted: [(time: ContinuousClock.Instant, isAnswered: Bool)] = []
    private var pending: (fault: Fault, number: Int)?

    /// Starts it.
    ///
    /// - Parameters:
    ///   - server: where it forwards to.
    ///   - isConnectProxy: whether it is asked to connect first (RFC 9110, section 9.3.6), wherever to.
    ///   - hidesVersion: whether a server over git:// is not told that version 2 is spoken: it answers in version 0.
    public init(to server: UInt16, fault: Fault = .none, hidesVersion: Bool = false, isConnectProxy: Bool = false)
        throws
    {
        (listener, port) = try listeningSocket()
        (self.hidesVersion, self.isConnectProxy) = (hidesVersion, isConnectProxy)
        self.server = server
        current = fault
        Thread.detachNewThread { [weak self, listener] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                guard let self else {
                    Glibc.close(client)
                    return
                }
                self.serve(client)
            }
        }
    }

    deinit { close() }

    /// What it does from the next connection on; open ones are closed.
    public var fault: Fault {
        get { lock.withLock { current } }
        set {
            lock.withLock {
                current = newValue
                pending = nil
                for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
            }
        }
    }

    /// Does it to one connection alone, counted from 0 from now on; open ones are closed. For what is done while bytes are forwarded.
    public func inject(_ fault: Fault, intoConnection number: Int) {
        self.fault = .none
        lock.withLock { pending = (fault, accepted.count + number) }
    }

    /// Connections so far.
    public var connectionCount: Int { lock.withLock { accepted.count } }

    /// When each of them came, and whether it was answered here, by a fault that says so.
    public var connectionTimes: [(time: ContinuousClock.Instant, isAnswered: Bool)] { lock.withLock { accepted } }

    /// Ends it with all its connections.
    public func close() {
        lock.withLock {
            guard !isClosed else { return }
            isClosed = true
            shutdown(listener, Int32(SHUT_RDWR))
            Glibc.close(listener)
            for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    /// Reads a request and answers it without the server.
    private static func answer(_ client: Int32, _ text: String, endless: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        guard recv(client, &buffer, buffer.count, 0) > 0 else { return }
        func put(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) > 0
        }
        guard put(text) else { return }
        let line = String(repeating: "0123456789abcdef", count: 256) + "\n"
        while endless, put(line) {}
    }

    /// Reads a request to connect and grants it.
    private static func takeConnect(_ client: Int32) -> Bool {
        var (request, byte) = ([UInt8](), UInt8(0))
        while !request.suffix(4).elementsEqual("\r\n\r\n".utf8), request.count < 16_384 {
            guard recv(client, &byte, 1, 0) == 1 else { return false }
            request.append(byte)
        }
        let answer = Array("HTTP/1.1 200 Connected\r\n\r\n".utf8)
        return request.starts(with: "CONNECT ".utf8)
            && send(client, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count
    }

    private func serve(_ client: Int32) {
        switch lock.withLock({ current }) {
        case .answer(let text): return serve(client, answering: text, endless: false)
        case .endless(let text): return serve(client, answering: text, endless: true)
        default: break
        }
        if isConnectProxy, !Self.takeConnect(client) {
            Glibc.close(client)
            return
        }
        guard let upstream = try? connected(to: server) else {
            Glibc.close(client)
            return
        }
        let fault = lock.withLock {
            connections += [client, upstream]
            defer { accepted.append((.now, false)) }
            return pending.map { $0.number == accepted.count ? $0.fault : .none } ?? current
        }
        let group = DispatchGroup()
        group.enter()
        group.enter()
        Thread.detachNewThread { [hidesVersion] in
            Self.pump(from: client, to: upstream, .none, hidesVersion: hidesVersion)
            group.leave()
        }
        Thread.detachNewThread {
            Self.pump(from: upstream, to: client, fault)
            group.leave()
        }
        group.notify(queue: .global()) { [weak self] in
            self?.lock.withLock { self?.connections.removeAll { $0 == client || $0 == upstream } }
            Glibc.close(client)
            Glibc.close(upstream)
        }
    }

    private func serve(_ client: Int32, answering text: String, endless: Bool) {
        lock.withLock {
            connections.append(client)
            accepted.append((.now, true))
        }
        Thread.detachNewThread { [weak self] in
            Self.answer(client, text, endless: endless)
            self?.lock.withLock { self?.connections.removeAll { $0 == client } }
            shutdown(client, Int32(SHUT_WR))
            var buffer = [UInt8](repeating: 0, count: 1_024)
            while recv(client, &buffer, buffer.count, 0) > 0 {}
            Glibc.close(client)
        }
    }

    private static func pump(from source: Int32, to target: Int32, _ fault: Fault, hidesVersion: Bool = false) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        var forwarded = 0
        defer {
            shutdown(target, Int32(SHUT_WR))
            shutdown(source, Int32(SHUT_RD))
        }
        while true {
            var room = buffer.count
            switch fault {
            case .none, .flip, .answer, .endless: break
            case .stall(let bytes), .cut(let bytes): room = min(room, bytes - forwarded)
            case .slow(let bytes):
                room = max(1, bytes / 10)
                usleep(100_000)
            }
            if room <= 0 {
                if case .cut = fault { shutdown(target, Int32(SHUT_RDWR)) }
                if case .stall = fault {
                    // Swallows the rest, as a host does that hangs with its connection up.
                    while recv(source, &buffer, buffer.count, 0) > 0 {}
                    // Then stays silent until the client gives up.
                    while recv(target, &buffer, 1, Int32(MSG_PEEK)) > 0 { usleep(20_000) }
                }
                return
            }
            let count = recv(source, &buffer, room, 0)
            guard count > 0 else { return }
            if case .flip(let place) = fault, (forwarded..<forwarded + count).contains(place) {
                buffer[place - forwarded] ^= 0x10
            }
            if hidesVersion, forwarded == 0, let place = buffer[..<count].firstRange(of: Array("version=2".utf8)) {
                buffer[place.upperBound - 1] = UInt8(ascii: "0")
            }
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes {
                    send(target, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard written > 0 else { return }
                sent += written
            }
            forwarded += count
        }
    }
}

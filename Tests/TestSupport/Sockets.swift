import Foundation
import Synchronization

/// SOCK_CLOEXEC: a server that is started meanwhile must not hold our connections open.
private let closeOnExec: Int32 = 0o2_000_000

/// A TCP port of this machine that was free a moment ago, and that no other test is given.
public func freePort() throws -> UInt16 {
    for _ in 0..<100 {
        let (descriptor, port) = try listeningSocket()
        close(descriptor)
        if givenPorts.withLock({ $0.insert(port).inserted }) { return port }
    }
    throw TestFailure("no port that is not given away")
}

private let givenPorts = Mutex<Set<UInt16>>([])

func listeningSocket() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, size) == 0 && listen(descriptor, 64) == 0
                ? getsockname(descriptor, address, &size) : -1
        }
    }
    guard code == 0 else { throw TestFailure("no port: \(String(cString: strerror(errno)))") }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}

/// Begins to connect and does not wait.
func startConnecting(to port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec | O_NONBLOCK, 0)
    _ = connect(descriptor, port)
    return descriptor >= 0 ? descriptor : nil
}

/// A socket that is connected to a port of loopback.
public func connected(to port: UInt16, at host: String = "127.0.0.1") throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
    guard connect(descriptor, port, host) == 0 else {
        close(descriptor)
        throw TestFailure("connect to \(port): \(String(cString: strerror(errno)))")
    }
    return descriptor
}

private func connect(_ descriptor: Int32, _ port: UInt16, _ host: String = "127.0.0.1") -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr(host)
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

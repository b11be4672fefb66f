import CLibgit2
import Glibc
import Synchronization

/// A byte stream that a transport talks over. Every call blocks, and ends by itself: with a limit or on cancellation.
public protocol ByteStream: AnyObject {
    /// Connects to the host that the dialer was given.
    func connect() throws
    /// Reads at least one byte; 0 at the end of the stream.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
    /// Writes at least one byte, and says how many.
    func write(_ bytes: UnsafeRawBufferPointer) throws -> Int
    /// Closes it; harmless when it is closed.
    func close()
}

/// Makes the sockets of libgit2's transports: its own can be neither limited in time nor interrupted.
public protocol StreamDialer: Sendable {
    /// A stream to that host and port, not connected yet.
    func stream(host: String, port: String) -> any ByteStream
}

/// The bridge between libgit2's stream registration, which knows only host and port, and the dialer of the call that is
/// running on this thread. An error of a stream is kept and thrown in place of what libgit2 makes of it.
enum TransportStreams {
    private final class Call {
        let dialer: any StreamDialer
        var failure: (any Error)?

        init(_ dialer: any StreamDialer) { self.dialer = dialer }
    }

    private final class Socket {
        let stream: any ByteStream
        let call: Call

        init(_ stream: any ByteStream, _ call: Call) {
            self.stream = stream
            self.call = call
        }

        func attempt<Value: FixedWidthInteger>(_ body: (any ByteStream) throws -> Value) -> Value {
            do { return try body(stream) } catch {
                if call.failure == nil { call.failure = error }
                return -1
            }
        }
    }

    /// A `Call` belongs to one thread for as long as `withDialer` runs there.
    private struct Entry: @unchecked Sendable { let call: Call }
    private static let calls = Mutex<[pthread_t: Entry]>([:])

    static func withDialer<Value>(_ dialer: any StreamDialer, _ body: () throws -> Value) throws -> Value {
        let call = Call(dialer)
        let thread = pthread_self()
        let entry = Entry(call: call)
        calls.withLock { $0[thread] = entry }
        defer { calls.withLock { $0[thread] = nil } }
        do { return try body() } catch let error as GitError {
            throw call.failure ?? error
        }
    }

    static func register() throws(GitError) {
        var registration = git_stream_registration()
        registration.version = GIT_STREAM_VERSION
        registration.`init` = { out, host, port in
            guard let out, let host, let port else { return -1 }
            return TransportStreams.make(out, host: String(cString: host), port: String(cString: port))
        }
        try check("git_stream_register") { git_stream_register(GIT_STREAM_STANDARD, &registration) }
    }

    private static func make(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_stream>?>, host: String, port: String
    ) -> Int32 {
        guard let call = calls.withLock({ $0[pthread_self()] })?.call else { return -1 }
        let memory = UnsafeMutablePointer<sidekick_stream>.allocate(capacity: 1)
        var parent = git_stream()
        parent.version = GIT_STREAM_VERSION
        parent.connect = {
            TransportStreams.socket($0).attempt {
                try $0.connect(); return Int32(0)
            }
        }
        parent.read = { stream, data, size in
            TransportStreams.socket(stream).attempt {
                try $0.read(into: UnsafeMutableRawBufferPointer(start: data, count: size))
            }
        }
        parent.write = { stream, data, size, _ in
            TransportStreams.socket(stream).attempt { try $0.write(UnsafeRawBufferPointer(start: data, count: size)) }
        }
        parent.close = {
            TransportStreams.socket($0).stream.close(); return 0
        }
        parent.free = { stream in
            guard let stream else { return }
            let memory = UnsafeMutableRawPointer(stream).assumingMemoryBound(to: sidekick_stream.self)
            if let socket = memory.pointee.socket { Unmanaged<Socket>.fromOpaque(socket).release() }
            memory.deallocate()
        }
        let socket = Socket(call.dialer.stream(host: host, port: port), call)
        memory.initialize(to: sidekick_stream(parent: parent, socket: Unmanaged.passRetained(socket).toOpaque()))
        out.pointee = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: git_stream.self)
        return 0
    }

    private static func socket(_ stream: UnsafeMutablePointer<git_stream>?) -> Socket {
        let memory = UnsafeMutableRawPointer(stream!).assumingMemoryBound(to: sidekick_stream.self)
        return Unmanaged<Socket>.fromOpaque(memory.pointee.socket!).takeUnretainedValue()
    }
}

import Dispatch
import Glibc

/// Calls back, on a thread of its own, whenever a descriptor can be read.
///
/// In place of libdispatch's read sources: on Linux (Swift 6.3.1) its manager thread reads freed memory now and then when a
/// source is cancelled while an event of it is on its way, and the process ends by a signal.
public final class DescriptorReader: Sendable {
    private let wake: WakePipe
    private let end = DispatchGroup()
    private let isOwnThread: @Sendable () -> Bool

    private struct Body: Sendable {
        let descriptor: Int32
        let wake: WakePipe
        let read: @Sendable () -> Bool
        let end: DispatchGroup

        /// What has come before the end was asked for is read as well, but whoever writes for ever is not listened to for ever.
        private static let maxReadsAtEnd = 16

        func run() {
            var rest = Self.maxReadsAtEnd
            var watched = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0),
            ]
            while rest > 0 {
                guard poll(&watched, 2, -1) >= 0 || errno == EINTR else { break }
                let isAsked = watched[1].revents != 0
                if isAsked { rest -= 1 }
                if watched[0].revents == 0 {
                    if isAsked { break }
                } else if !read() {
                    break
                }
            }
            close(descriptor)
            end.leave()
        }
    }

    /// - Parameters:
    ///   - descriptor: does not block; closed when there is nothing more to read.
    ///   - read: reads what is there, and says whether there may be more some time.
    /// - Throws: `SystemError` when the system has no more threads or descriptors; the descriptor is closed then, too.
    public init(_ descriptor: Int32, _ read: @escaping @Sendable () -> Bool) throws {
        do { wake = try WakePipe() } catch {
            close(descriptor)
            throw error
        }
        end.enter()
        let body = Body(descriptor: descriptor, wake: wake, read: read, end: end)
        do {
            let thread = try OwnThread.start { body.run() }
            isOwnThread = { pthread_equal(thread, pthread_self()) != 0 }
        } catch {
            isOwnThread = { false }
            close(descriptor)
            end.leave()
            throw error
        }
    }

    deinit { stop() }

    /// Reads what has come, closes the descriptor and calls back no more.
    public func stop() {
        wake.signal()
        // Whoever is called back may let go of this one.
        if !isOwnThread() { end.wait() }
    }
}

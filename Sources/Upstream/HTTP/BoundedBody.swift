import NIOCore
import Platform

extension HTTPBody {
    /// Reads the beginning, as much of it as comes in a time: whoever sends a byte now and then is not waited for.
    ///
    /// - Returns: what came, and whether that is all that was asked for.
    func beginning(atMost bytes: Int, within time: Duration) async -> (bytes: [UInt8], isWhole: Bool) {
        let read = try? await withDeadline(time, throwing: CancellationError()) {
            var read: [UInt8] = []
            do {
                for try await more in self {
                    read += more.readableBytesView.prefix(bytes - read.count)
                    if read.count >= bytes { break }
                }
            } catch {
                // Cancelled, it ends with what it has.
                return (read, false)
            }
            return (read, true)
        }
        return read ?? ([], false)
    }

    /// Reads what nobody wants, so that the connection can go on to be used.
    func drop(atMost limit: Int) async throws {
        var count = 0
        for try await bytes in self {
            count += bytes.readableBytes
            if count > limit { return }
        }
    }
}

import AsyncHTTPClient
import NIOCore

extension HTTPClientResponse.Body {
    /// Reads the beginning, as much of it as comes in a time: whoever sends a byte now and then is not waited for.
    ///
    /// - Returns: what came, and whether that is all that was asked for.
    func beginning(atMost bytes: Int, within seconds: Double) async -> (bytes: [UInt8], isWhole: Bool) {
        await withTaskGroup(of: (bytes: [UInt8], isWhole: Bool)?.self) { group in
            group.addTask {
                var read: [UInt8] = []
                do {
                    for try await more in self {
                        read += more.readableBytesView.prefix(bytes - read.count)
                        if read.count >= bytes { break }
                    }
                } catch {
                    return (read, false)
                }
                return (read, true)
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            // Cancelled, it ends with what it has.
            return (await group.next() ?? nil) ?? ([], false)
        }
    }
}

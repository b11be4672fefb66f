import Platform
/// What a name stands for.
public enum HostAddresses {
    /// Every address of a host, as it stands in a URL: those of IPv6 in brackets.
    ///
    /// - Parameter time: how long the name servers may take.
    /// - Throws: `UpstreamError.hostUnknown`.
    public static func all(of host: String, within time: Duration) async throws -> [String] {
        try await withCheckedThrowingContinuation { answered in
            do {
                try OwnThread.start {
                    answered.resume(
                        with: Result {
                            try Resolver.resolve(host: host, port: "0", timeout: time, wake: WakePipe())
                                .compactMap(\.text)
                        })
                }
            } catch {
                answered.resume(throwing: error)
            }
        }
    }
}

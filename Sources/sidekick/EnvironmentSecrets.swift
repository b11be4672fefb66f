import Glibc
import Pipeline

/// Secrets that came as variables: they stay in the memory that the kernel shows as /proc/PID/environ for as long as nobody
/// overwrites them there.
enum EnvironmentSecrets {
    /// Variables that may hold a login without being secrets as a whole.
    private static let addresses: Set<String> = [
        "REPOSITORY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy",
    ]

    /// Overwrites the values where they lie.
    static func wipe() {
        let secrets = Set(Setting.all.filter { $0.kind == .secret }.map(\.name))
        var entry = environ
        while let text = entry.pointee {
            entry += 1
            guard let sign = strchr(text, Int32(UInt8(ascii: "="))) else { continue }
            let name = String(decoding: UnsafeRawBufferPointer(start: text, count: sign - text), as: UTF8.self)
            let value = sign + 1
            guard secrets.contains(name) || addresses.contains(name) && strchr(value, Int32(UInt8(ascii: "@"))) != nil
            else {
                continue
            }
            memset(value, Int32(UInt8(ascii: "x")), strlen(value))
        }
    }
}

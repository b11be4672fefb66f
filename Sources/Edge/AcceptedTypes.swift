import Platform

/// What an `Accept` asks for (RFC 9110, section 12.5.1). What parameters a type has beside its weight decides nothing here.
struct AcceptedTypes {
    private var weights: [String: Double] = [:]

    init(_ field: String) {
        for range in field.utf8.lowercasedASCII.split(separator: UInt8(ascii: ",")) {
            let parts = range.split(separator: UInt8(ascii: ";")).map { $0.trimmingSpaces.asText }
            guard let type = parts.first else { continue }
            let weight = parts.dropFirst().lazy.compactMap { $0.hasPrefix("q=") ? Double($0.dropFirst(2)) : nil }.first
            weights[type] = max(weights[type] ?? 0, weight ?? 1)
        }
    }

    /// Whether a type is named, and not liked less than what is sent to those who name none.
    func prefers(_ type: String, to standard: String) -> Bool {
        guard let weight = weights[type], weight > 0 else { return false }
        return weight >= weights[standard] ?? 0
    }
}

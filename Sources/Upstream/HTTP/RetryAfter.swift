import Glibc
import Platform

/// How long a server that is busy wants to be left alone (RFC 9110, section 10.2.3): seconds, or a date.
enum RetryAfter {
    /// A server that asks for more is asked again after this.
    static let longest = Duration.seconds(3_600)

    /// - Parameter now: seconds since 1970.
    static func seconds(_ text: String, now: Double = Double(time(nil))) -> Duration? {
        let text = text.filter { $0 != "\r" }
        if let seconds = UInt32(text) { return min(.seconds(seconds), longest) }
        return HTTPDate.seconds(text).map { min(max(.seconds($0 - now), .zero), longest) }
    }
}

/// A date as HTTP has it.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that is still generated (RFC 9110, section 5.6.7).
    /// - Returns: seconds since 1970; `nil` for anything else.
    static func seconds(_ text: String) -> Double? {
        let words = text.parts(at: " ", leavingOutEmpty: true)
        guard words.count == 6, words[5] == "GMT", let day = Int32(words[1]), let year = Int32(words[3]),
            let month = months.firstIndex(of: String(words[2])), (1970...9999).contains(year), (1...31).contains(day)
        else { return nil }
        let clock = words[4].parts(at: ":").compactMap { Int32($0) }
        guard clock.count == 3, clock.allSatisfy({ (0...60).contains($0) }) else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, Int32(month), day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (clock[0], clock[1], clock[2])
        return Double(timegm(&parts))
    }
}

import Glibc
import Platform

/// A time of `valid-after` and `valid-before`: `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with `Z` for UTC (ssh-keygen(1), ALLOWED
/// SIGNERS).
enum SSHTime {
    /// - Returns: seconds since 1970; `nil` when it is none.
    static func read(_ text: some Collection<UInt8>) -> Int64? {
        var digits = Array(text)
        let isUTC = digits.last.map { $0 == UInt8(ascii: "Z") || $0 == UInt8(ascii: "z") } ?? false
        if isUTC { digits.removeLast() }
        guard [8, 12, 14].contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        func number(_ range: Range<Int>) -> Int32 {
            range.upperBound > digits.count ? 0 : digits[range].reduce(0) { $0 * 10 + Int32($1 - UInt8(ascii: "0")) }
        }
        var time = tm()
        (time.tm_year, time.tm_mon, time.tm_mday) = (number(0..<4) - 1900, number(4..<6) - 1, number(6..<8))
        (time.tm_hour, time.tm_min, time.tm_sec) = (number(8..<10), number(10..<12), number(12..<14))
        time.tm_isdst = -1
        guard (0..<12).contains(time.tm_mon), (1...31).contains(time.tm_mday), time.tm_hour < 24, time.tm_min < 60,
            time.tm_sec <= 60, time.tm_year >= 0
        else { return nil }
        let seconds = Int64(isUTC ? timegm(&time) : mktime(&time))
        return seconds < 0 ? nil : seconds
    }
}

import Logging
import Publishing

extension Logger {
    /// One line for each, but not one for each file of a large site: of a kind the first few, and how many more there are.
    func report(_ notices: [Notice], maxOfAKind most: Int = 20) {
        var counts: [String: Int] = [:]
        for notice in notices {
            if let kind = notice.kind {
                counts[kind, default: 0] += 1
                guard counts[kind]! <= most else { continue }
            }
            warning("notice", metadata: ["what": "\(notice)"])
        }
        for (kind, count) in counts.sorted(by: { $0.key < $1.key }) where count > most {
            warning("notice", metadata: ["what": "\(kind): \(count) in all, \(most) of them are named above"])
        }
    }
}

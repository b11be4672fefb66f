import Foundation
import TestSupport
import Testing

/// A client that forgets nothing: it asks again with every ETag and every time that it was ever given.
struct ReturningClient {
    private struct Copy: Hashable {
        let body: Data
        let tag: String
        let modified: String
    }

    /// Serves by ETag, as the project's own web.conf.
    let byTag: Nginx
    /// Serves by time, and takes a file for unchanged that is not younger.
    let byTime: Nginx
    let root: String
    private var copies: [String: Set<Copy>] = [:]
    private var last: [String: (body: Data, time: Int)] = [:]
    /// 304 for bytes that it had: without some, nothing is shown.
    private(set) var spared = 0

    init(_ root: String) async throws {
        byTag = try await Nginx(serving: root)
        byTime = try await Nginx(byTime: root)
        self.root = root
    }

    /// - Returns: what is wrong.
    mutating func visit(_ paths: [String], _ when: String) throws -> [String] {
        var faults: [String] = []
        for path in paths {
            let answer = try get(byTime.port, "/" + path)
            guard answer.status == 200 else { continue }
            for copy in copies[path, default: []] {
                let answers = [
                    try get(byTag.port, "/" + path, headers: ["If-None-Match": copy.tag]),
                    try get(byTime.port, "/" + path, headers: ["If-None-Match": copy.tag]),
                    try get(byTime.port, "/" + path, headers: ["If-Modified-Since": copy.modified]),
                ]
                for (way, again) in zip(["ETag", "plain ETag", "time"], answers) where again.status == 304 {
                    spared += 1
                    if copy.body != answer.body { faults.append("\(when): \(path) is unchanged by its \(way)") }
                }
            }
            var status = stat()
            guard stat(root + "/" + path, &status) == 0 else { throw TestFailure("\(path) is gone") }
            if let last = last[path], last.body != answer.body, status.st_mtim.tv_sec <= last.time {
                faults.append("\(when): \(path) goes from \(last.time) to \(status.st_mtim.tv_sec)")
            }
            last[path] = (answer.body, status.st_mtim.tv_sec)
            let tag = try #require(try get(byTag.port, "/" + path).headers["etag"])
            let modified = try #require(answer.headers["last-modified"])
            copies[path, default: []].insert(Copy(body: answer.body, tag: tag, modified: modified))
        }
        return faults
    }
}

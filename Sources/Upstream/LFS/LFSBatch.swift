import FoundationEssentials
import Git
import Platform

/// What is asked of a server of Git LFS, and what it answers (git-lfs, docs/api/batch.md).
enum LFSBatch {
    static let mediaType = "application/vnd.git-lfs+json"

    struct Request: Encodable {
        struct Ref: Encodable { let name: String }
        struct Object: Encodable {
            let oid: String
            let size: Int64
        }

        let operation = "download"
        let transfers = ["basic"]
        let ref: Ref?
        let objects: [Object]
        // swift-format-ignore: AlwaysUseLowerCamelCase
        let hash_algo = "sha256"

        init(_ objects: [LFSObject], ref: ReferenceName?) {
            self.ref = ref.map { Ref(name: $0.text) }
            self.objects = objects.map { Object(oid: "\($0.id)", size: $0.size) }
        }

        private enum CodingKeys: String, CodingKey {
            case operation, transfers, ref, objects
            // swift-format-ignore: AlwaysUseLowerCamelCase
            case hash_algo
        }
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Answer: Decodable {
        struct Object: Decodable {
            let oid: String
            let authenticated: Bool?
            let actions: Actions?
            let error: Failure?
        }
        struct Actions: Decodable { let download: Link? }
        struct Failure: Decodable {
            let code: Int?
            let message: String?
        }

        let transfer: String?
        let objects: [Object]
        let hash_algo: String?
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    struct Link: Decodable {
        let href: String?
        let header: [String: String]?
        let expires_in: Double?
        let expires_at: String?

        var end: ContinuousClock.Instant? { LFSBatch.end(expires_in, expires_at) }
    }

    /// Until when something is good, where it says so.
    ///
    /// - Parameters:
    ///   - seconds: from now on; it counts more than `date`.
    ///   - date: RFC 3339.
    static func end(_ seconds: Double?, _ date: String?) -> ContinuousClock.Instant? {
        if let seconds, seconds.isFinite, seconds != 0 { return .now + .seconds(min(max(seconds, 0), longest)) }
        guard let date, let date = try? Date(date, strategy: .iso8601) else { return nil }
        return .now + .seconds(min(max(date.timeIntervalSinceNow, 0), longest))
    }

    private static let longest: Double = 31_536_000

    /// As git-lfs has it: what would end on the way is asked for anew.
    static func isOver(_ end: ContinuousClock.Instant?) -> Bool { end.map { $0 - .now < .seconds(5) } ?? false }
}

/// How one object is had.
struct LFSAction: Sendable {
    let href: String
    /// Only for the origin of `href`.
    let headers: [String: String]
    let end: ContinuousClock.Instant?
    /// Whether a login may go along.
    let takesLogin: Bool

    var isOver: Bool { LFSBatch.isOver(end) }
}

import Foundation
import Git
import Platform
import TestSupport
import Testing

@testable import Upstream

/// A server of Git LFS, a store, and what is asked for between them.
final class Exchange: Sendable {
    let server: LFSServer
    let folder: TemporaryFolder
    let objects: [LFSObject]
    let data: [Data]

    init(_ sizes: [Int] = [5_000]) throws {
        server = try LFSServer()
        folder = try TemporaryFolder()
        var random = SeededNumbers(seed: 7)
        data = sizes.map { size in Data((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }) }
        for data in data { try server.add(data) }
        objects = try data.map { data in
            let id = try #require(LFSObjectID(hex: lfsPointer(to: data).id.utf8))
            return LFSObject(id: id, size: Int64(data.count))
        }
    }

    var store: LFSStore { LFSStore(path: folder("lfs")) }

    func fetch(
        _ change: (inout UpstreamOptions) -> Void = { _ in }, userInfo: String = "", config: String? = nil,
        ref: ReferenceName? = nil
    ) async throws {
        var options = UpstreamOptions(
            url: try RemoteURL("http://\(userInfo)127.0.0.1:\(server.port)/team/site.git"), timeout: patience)
        change(&options)
        let config = try config.map { try LFSConfig(Array("[lfs]\n\turl = \($0)\n".utf8)) }
        try await LFSRemote(of: options, counting: Traffic()).fetch(
            LFSRequest(objects: objects, store: store, ref: ref, config: config)
        ) { _ in }
    }

    /// Whether an object is here with its own bytes.
    func has(_ index: Int = 0) throws -> Bool {
        var found = Data()
        do { try store.read(objects[index]) { found.append(contentsOf: $0) } } catch is LFSObjectMissing {
            return false
        }
        return found == data[index]
    }

    func requests(_ method: String) -> [LFSServer.Request] { server.requests.filter { $0.method == method } }
}

import TestSupport
import Testing

@testable import Upstream

@Suite struct `An answer that breaks off without an end` {
    private func sender(_ trap: HTTPTrap, timeout: Double) throws -> (OneShotHTTPClient, url: String) {
        let url = "http://127.0.0.1:\(trap.port)/x"
        return (OneShotHTTPClient(like: UpstreamOptions(url: try RemoteURL(url)), timeout: .seconds(timeout)), url)
    }

    private func start(_ status: String, _ type: String, _ body: String) throws -> HTTPTrap {
        try HTTPTrap { _ in "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: 1000\r\n\r\n\(body)" }
    }

    @Test(arguments: ["text/plain", "application/json"])
    func `has two seconds for what a server says for itself`(type: String) async throws {
        let trap = try start("500 No", type, "out of order\n")
        let (sender, url) = try sender(trap, timeout: 600)
        let begin = ContinuousClock.now
        let answer = try await sender.post([], to: url, headers: [])
        #expect(ContinuousClock.now - begin < patience)
        #expect(answer.status == 500 && answer.words == (type == "text/plain" ? "out of order" : nil))
    }

    @Test func `has the rest of the request's time where it is wanted`() async throws {
        let trap = try start("201 Created", "application/json", #"{"token":"#)
        let (sender, url) = try sender(trap, timeout: 1)
        let begin = ContinuousClock.now
        await #expect(throws: UpstreamError.self) {
            _ = try await sender.post([], to: url, headers: [], readsBody: true)
        }
        #expect(ContinuousClock.now - begin < patience)
    }
}

import Platform
import Testing

@testable import Upstream

@Suite struct `What is said to a proxy first` {
    private static func handshake(
        _ kind: ProxyRules.Proxy.Kind, to url: String = "https://git.example.org/x", login: (String, String)? = nil
    ) throws -> ProxyHandshake {
        let proxy = ProxyRules.Proxy(
            kind: kind, host: "proxy", port: 1080, login: login.map { ($0.0, Secret($0.1)) })
        return ProxyHandshake(to: try #require(HTTPOrigin(url)), through: proxy)
    }

    /// Bytes in pieces of each size: what is sent for them, and what remains for the origin.
    private static func run(
        _ handshake: ProxyHandshake, _ answers: [UInt8], pieces size: Int
    ) throws(HTTPFault) -> (sent: [[UInt8]], rest: [UInt8]?) {
        var (handshake, sent) = (handshake, [[UInt8]]())
        for start in stride(from: 0, to: answers.count, by: size) {
            switch try handshake.take(answers[start..<min(start + size, answers.count)]) {
            case .wait: continue
            case .send(let bytes): sent.append(bytes)
            case .done(let rest): return (sent, rest)
            }
        }
        return (sent, nil)
    }

    @Test func `is CONNECT, with the proxy's login`() throws {
        let plain = try Self.handshake(.http).greeting.asText
        #expect(plain == "CONNECT git.example.org:443 HTTP/1.1\r\nHost: git.example.org:443\r\n\r\n")
        let known = try Self.handshake(.http, login: ("me", "pw")).greeting.asText
        #expect(known.contains("\r\nProxy-Authorization: Basic bWU6cHc=\r\n"))
    }

    @Test(arguments: [1, 2, 7, 100])
    func `is over with the head of a success, and what follows is the origin's`(size: Int) throws {
        let handshake = try Self.handshake(.http)
        for head in ["HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/1.0 200\n\n"] {
            let (sent, rest) = try Self.run(handshake, Array(head.utf8), pieces: size)
            #expect(sent.isEmpty && rest == [])
        }
        #expect(
            try Self.run(handshake, Array("HTTP/1.1 200 OK\r\n\r\nabc".utf8), pieces: 100).rest == Array("abc".utf8))
        #expect(try Self.run(handshake, Array("HTTP/1.1 200 OK\r\n".utf8), pieces: size).rest == nil)
    }

    @Test(arguments: [
        ("HTTP/1.1 407 Login\r\n\r\n", "login"), ("HTTP/1.1 502 No\r\n\r\n", "502"), ("220 smtp\r\n\r\n", "not HTTP"),
        ("HTTP/1.1 200 " + String(repeating: "a", count: 20_000), "no end"),
    ])
    func `is refused in words`(answer: String, words: String) throws {
        let handshake = try Self.handshake(.http)
        let fault = #expect(throws: HTTPFault.self) { try Self.run(handshake, Array(answer.utf8), pieces: 20_000) }
        guard case .proxy(let reason) = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(reason.contains(words))
    }

    @Test(arguments: [1, 3, 100])
    func `is SOCKS 5 with the name, of any kind of address in the answer`(size: Int) throws {
        let handshake = try Self.handshake(.socks)
        #expect(handshake.greeting == [5, 1, 0])
        let request = [5, 1, 0, 3, 15] + Array("git.example.org".utf8) + [1, 187]
        for address in [[1] + [UInt8](repeating: 9, count: 4), [4] + [UInt8](repeating: 9, count: 16), [3, 2, 9, 9]] {
            // A proxy speaks when it is asked.
            var run = handshake
            #expect(try run.take([5]) == .wait && run.take([0]) == .send(request))
            let answer = [5, 0, 0] + address + [0, 80]
            #expect(try Self.run(run, answer, pieces: size).rest == [])
        }
    }

    @Test func `is a login where SOCKS asks for one`() throws {
        var run = try Self.handshake(.socks, login: ("me", "pw"))
        #expect(run.greeting == [5, 2, 0, 2])
        #expect(try run.take([5, 2]) == .send([1, 2] + Array("me".utf8) + [2] + Array("pw".utf8)))
        var refused = run
        #expect(throws: HTTPFault.proxy("it refuses the login")) { try refused.take([1, 1]) }
        guard case .send(let request) = try run.take([1, 0]) else {
            Issue.record("no request")
            return
        }
        #expect(request.starts(with: [5, 1, 0, 3]))
        for (code, words) in [(2, "allow"), (4, "unreachable"), (5, "refuses"), (8, "(8)")] as [(UInt8, String)] {
            var run = run
            let fault = #expect(throws: HTTPFault.self) { try run.take([5, code, 0, 1, 0, 0, 0, 0, 0, 0]) }
            guard case .proxy(let reason)? = fault else {
                Issue.record("no fault")
                return
            }
            #expect(reason.contains(words))
        }
        var stranger = try Self.handshake(.socks)
        #expect(throws: HTTPFault.proxy("it asks for a login")) { try stranger.take([5, 2]) }
    }
}

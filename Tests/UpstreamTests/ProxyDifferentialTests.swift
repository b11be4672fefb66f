import Foundation
import TestSupport
import Testing

@testable import Upstream

/// Whether curl asks a proxy, many questions in one process.
private struct CurlProxy {
    struct Question {
        let list: String
        let host: String
    }

    /// True for a host that it asks without.
    static func ask(_ questions: [Question]) throws -> [Bool] {
        let trap = try HTTPTrap { request in
            let status = request.hasPrefix("CONNECT ") ? "502 No" : "200 OK"
            return "HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        }
        let operations = questions.map { question in
            """
            url = "http://\(question.host)/"
            noproxy = "\(question.list)"
            proxy = "http://127.0.0.1:\(trap.port)"
            connect-to = "::127.0.0.1:\(trap.port)"
            proxytunnel
            silent
            output = "/dev/null"
            write-out = "%{http_connect}\\n"
            """
        }
        let input = Data(operations.joined(separator: "\nnext\n").utf8)
        // No list of whoever runs this; and the last transfer's failure is its status.
        let text = try Command.run(
            ["curl", "-q", "-K", "-"], environment: GitRepository.environment(), input: input, mayFail: true
        ).text
        // No request was refused by the proxy where none was sent to it.
        let answers = text.split(separator: "\n")
        guard answers.count == questions.count else {
            throw TestFailure("\(answers.count) answers of \(questions.count)")
        }
        return answers.map { $0 == "000" }
    }
}

/// Few names and few networks, so that they meet.
private struct RandomExceptions {
    var numbers: SeededNumbers

    private static let names = [
        "example.org", "example.org", "a.example.org", "b.a.example.org", "notexample.org", "org", "host",
    ]
    private static let addresses = ["10.0.0.1", "10.1.2.3", "10.128.0.1", "192.168.7.9", "127.0.0.1", "0.0.0.0"]
    private static let odd = [
        "127.1", "10.1.515", "0x0a.0.0.1", "010.0.0.1", "10.0.0.1.", "10.0.0.1.org", "x.10.0.0.1", "1",
    ]
    private static let letters = [".", ".", ",", " ", "\t", "/", "1", "8", "a", "A", "-", "+", "é", "\u{301}"]

    mutating func host() -> String {
        if numbers.isOne(in: 3) { return numbers.pick(Self.addresses) }
        if numbers.isOne(in: 8) { return numbers.pick(Self.odd) }
        let name = numbers.pick(Self.names)
        return (numbers.isOne(in: 4) ? name.uppercased() : name) + (numbers.isOne(in: 4) ? "." : "")
    }

    private mutating func word() -> String {
        switch Int.random(in: 0..<8, using: &numbers) {
        case 0...2:
            return (numbers.isOne(in: 3) ? "." : "") + numbers.pick(Self.names) + (numbers.isOne(in: 4) ? "." : "")
        case 3: return numbers.pick(Self.addresses)
        case 4: return numbers.pick(Self.odd)
        default:
            let bits =
                numbers.isOne(in: 6)
                ? numbers.pick(["", "0", "-1", "+8", "08", "8x", "33", "128", "/8"])
                : "\(Int.random(in: 1...32, using: &numbers))"
            return numbers.pick(Self.addresses) + "/" + bits
        }
    }

    mutating func list() -> String {
        if numbers.isOne(in: 30) { return numbers.pick(["*", "", ",", " "]) }
        var text = ""
        for number in 0..<Int.random(in: 1...4, using: &numbers) {
            if number > 0 { text += numbers.pick([",", ",", ", ", " ", "\t", ",,", " , "]) }
            text += numbers.isOne(in: 8) ? numbers.mutate(word(), with: Self.letters) : word()
        }
        return text
    }
}

@Suite struct `Proxies, beside curl's` {
    private static func isDirect(_ list: String, _ url: String) throws -> Bool {
        let rules = ProxyRules(["ALL_PROXY": "http://proxy:3128", "NO_PROXY": list])
        return try rules.proxy(for: RemoteURL(url)) == nil
    }

    @Test func `curl asks the same hosts without a proxy`() throws {
        var random = RandomExceptions(numbers: SeededNumbers(seed: SeededNumbers.seed))
        var questions: [CurlProxy.Question] = []
        while questions.count < Differential.count(600) {
            let question = CurlProxy.Question(list: random.list(), host: random.host())
            // To curl, a dot alone is a host whose last two letters are dots.
            if !question.list.utf8.split(whereSeparator: { ", \t".utf8.contains($0) }).contains(where: {
                $0.allSatisfy { $0 == 46 }
            }) {
                questions.append(question)
            }
        }
        var direct = 0
        for (question, expected) in zip(questions, try CurlProxy.ask(questions)) {
            #expect(try Self.isDirect(question.list, "http://\(question.host)/x") == expected, "\(question)")
            if expected { direct += 1 }
        }
        #expect(direct > questions.count / 10 && direct < questions.count / 2, "\(direct)")
    }

    @Test(
        arguments: [
            // curl's, where Go's net/http decides otherwise.
            (".example.org", ["example.org", "a.example.org"], ["notexample.org"]),
            ("example.org.", ["example.org", "example.org."], ["org"]), ("0.0.0.0/0", [], ["10.0.0.1"]),
            ("10.0.0.1 example.org\thost", ["10.0.0.1", "example.org", "host"], ["10.0.0.2"]),
            ("localhost.localdomain", [], ["localhost", "127.0.0.1", "[::1]"]), ("0.0.1", [], ["10.0.0.1"]),
            // Go's, where curl has no meaning for it.
            ("*.example.org", ["a.example.org", "b.a.example.org"], ["example.org", "notexample.org"]),
            ("example.org:8080", ["example.org:8080", "a.example.org:8080"], ["example.org", "example.org:80"]),
            ("x,*", ["example.org", "10.0.0.1", "[::1]"], []), ("10.0.0.1:8080", ["10.0.0.1:8080"], ["10.0.0.1"]),
            ("[fd00::1]:8080", ["[fd00::1]:8080"], ["[fd00::1]", "[fd00::2]:8080"]),
            ("[::1]", ["[::1]", "[0::1]:8080"], []),
            // Addresses of IPv6, which curl 7.88 compares as text.
            ("fd00::/8", ["[fd00::1]", "[FDFF::1]:8080"], ["[fc00::1]", "[::1]", "10.0.0.1", "fd00.example.org"]),
            ("fd00::/7", ["[fc00::1]", "[fd00::1%25eth0]"], ["[fe00::1]"]), ("fd00::/0", ["[fd00::]"], ["[fd00::1]"]),
            ("fd00:0:0::1", ["[fd00::1]"], ["[fd00::2]"]), ("fd00::/129", [], ["[fd00::]"]),
            ("2001:db8::10:80", ["[2001:db8::10:80]"], ["[2001:db8::10]"]),
        ])
    func `hosts are told apart by name, address and port`(list: String, direct: [String], others: [String]) throws {
        for host in direct { #expect(try Self.isDirect(list, "http://\(host)/x"), "\(host)") }
        for host in others { #expect(try !Self.isDirect(list, "http://\(host)/x"), "\(host)") }
    }

    @Test func `no letter that combines with a delimiter hides a proxy`() throws {
        let rules = ProxyRules(["http_proxy": "http://\u{301}proxy:3128", "no_proxy": "a,\u{301}b"])
        #expect(try rules.proxy(for: RemoteURL("http://a/x")) == nil)
        #expect(try rules.proxy(for: RemoteURL("http://c/x"))?.host == "\u{301}proxy")
    }
}

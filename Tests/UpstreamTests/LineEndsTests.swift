import Foundation
import Git
import NIOCore
import TestSupport
import Testing

@testable import Upstream

@Suite struct `Answers over http whose lines end in LF` {
    /// Answers one after the other, and the bytes of their bodies, which may look like lines.
    private static func answers(_ dice: inout SeededNumbers, end: () -> String) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 1...4, using: &dice) {
            let body = (0..<Int.random(in: 0...40, using: &dice)).map { _ in
                ["\n", "\r\n", "x", "HTTP/1.1 200 OK", "0"].randomElement(using: &dice)!
            }.joined()
            for _ in 0..<Int.random(in: 0...1, using: &dice) {
                text += "HTTP/1.1 103 Early" + end() + "Link: x" + end() + end()
            }
            switch Int.random(in: 0...3, using: &dice) {
            case 0: text += "HTTP/1.1 204 No" + end() + "X: y" + end() + end()
            case 1:
                text += "HTTP/1.1 200 OK" + end() + "content-length:  \(body.utf8.count) " + end() + end() + body
            case 2:
                text += "HTTP/1.1 404 No" + end() + "Transfer-Encoding: gzip, Chunked" + end() + end()
                for piece in body.split(separator: "x", omittingEmptySubsequences: true) {
                    text += String(piece.utf8.count, radix: 16) + ";a=b" + end() + piece + end()
                }
                text += "0" + end() + "Trailer: x" + end() + end()
            default:
                text += "HTTP/1.1 304 Not" + end() + "Content-Length: 7" + end() + end()
            }
        }
        return text
    }

    @Test func `are answers whose lines end in CRLF, however they come`() {
        for seed in 0..<3_000 as Range<UInt64> {
            var (dice, copy) = (SeededNumbers(seed: seed), SeededNumbers(seed: seed))
            var ends = SeededNumbers(seed: seed + 1)
            let odd = Self.answers(&dice) { Bool.random(using: &ends) ? "\n" : "\r\n" }
            let right = Self.answers(&copy) { "\r\n" }
            var (reader, found, rest): (LineEnds, [UInt8], [UInt8]) = (LineEnds(), [], Array(odd.utf8))
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...9, using: &ends))
                found +=
                    reader.pass(piece.count) ? Array(piece) : reader.take(ByteBuffer(bytes: piece).readableBytesView)
                rest.removeFirst(piece.count)
            }
            #expect(found == Array(right.utf8), "\(seed): \(odd.debugDescription)")
        }
    }

    @Test func `that are not understood are passed on as they came`() {
        for text in [
            "SSH-2.0-OpenSSH\n\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx\ny", "HTTP/1.1 101 X\r\n\r\na\nb",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\na\nb",
            "HTTP/1.1 200 OK\r\nX: y\r\n\r\nto\nthe\nend",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 100_000) + "\n\n",
        ] {
            var reader = LineEnds()
            let found = reader.take(ByteBuffer(string: text).readableBytesView)
            let first = text.hasPrefix("SSH") ? text.replacingOccurrences(of: "OpenSSH\n", with: "OpenSSH\r\n") : text
            #expect(
                String(decoding: found, as: UTF8.self).hasPrefix(first.prefix(60_000)),
                "\(text.prefix(60).debugDescription)")
        }
    }

    @Test(arguments: ["\n", "\r\n"], [true, false])
    func `are taken as curl and git take them`(end: String, isChunked: Bool) async throws {
        let remote = try await SmartRemote(.http)
        let head = try remote.source.head
        let port = try #require(remote.nginx).port
        let greeting = try Curl("127.0.0.1:\(port)").ask(
            "/site.git/info/refs?service=git-upload-pack", ["Git-Protocol": "version=2"]
        ).body
        let references = "\(head) HEAD symref-target:refs/heads/main\n"
        let list = String(format: "%04x", references.utf8.count + 4) + references + "0000"
        let trap = try HTTPTrap { request in
            let isPost = request.contains("POST ")
            let body = isPost ? list : greeting
            let lines = [
                "HTTP/1.1 200 OK", "Content-Type: application/x-git-upload-pack-\(isPost ? "result" : "advertisement")",
                "Connection: close",
            ]
            if isChunked {
                return (lines + ["Transfer-Encoding: chunked", "", String(body.utf8.count, radix: 16)]).joined(
                    separator: end)
                    + end + body + end + "0" + end + end
            }
            let length = "Content-Length: \(body.utf8.count)"
            return (lines + [length, length, "", ""]).joined(separator: end) + body
        }
        remote.options.url = try RemoteURL("http://127.0.0.1:\(trap.port)/site.git")
        #expect(try await remote.upstream().discover().commit.description == remote.source.head)
        let byGit = try Command.run(
            ["git", "ls-remote", "http://127.0.0.1:\(trap.port)/site.git", "HEAD"],
            environment: GitRepository.environment())
        #expect(byGit.text.hasPrefix(try remote.source.head))
    }
}

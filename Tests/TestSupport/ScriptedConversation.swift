import Foundation

/// One connection to a scripted server.
final class ScriptedConversation {
    private let client: Int32
    private let door: ScriptedGitServer.Door
    /// Notes a question, and hands out what is to be said; `nil` when the server is gone.
    private let ask: (ScriptedGitServer.Question) -> GitScript?
    private var unread: [UInt8] = []
    private var start = 0

    init(
        _ client: Int32, _ door: ScriptedGitServer.Door,
        _ ask: @escaping (ScriptedGitServer.Question) -> GitScript?
    ) {
        (self.client, self.door, self.ask) = (client, door, ask)
    }

    func run() { if door.isHTTP { answerRequest() } else { talk() } }

    // MARK: http

    /// One for each connection.
    private func answerRequest() {
        guard let request = header(), let body = body(of: request) else { return }
        let isPost = request.hasPrefix("POST ")
        let isList = isPost && body.containsText("command=ls-refs")
        let question = ScriptedGitServer.Question(
            kind: isList ? .references : isPost ? .fetch : .discovery, size: body.count)
        guard let script = ask(question) else { return }
        func head(_ name: String) -> [UInt8] {
            Array(
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-\(name)\r\nConnection: close\r\n\r\n"
                    .utf8)
        }
        let service = Packet.line("# service=git-upload-pack\n") + Packet.flush
        var stages: [(GitScript.Stage, [UInt8])]
        switch (question.kind, door.isVersion2) {
        case (.discovery, true):
            stages = [
                (.discoveryHead, head("advertisement")), (.service, service), (.capabilities, GitScript.capabilities),
            ]
        case (.discovery, false):
            stages = [(.discoveryHead, head("advertisement")), (.service, service)] + script.oldAdvertisement
        case (.references, _): stages = [(.referencesHead, head("result")), (.references, script.listing)]
        case (.fetch, true):
            stages = [(.fetchHead, head("result"))] + script.answer(deepens: body.containsText("deepen "))
        case (.fetch, false):
            // Rounds of what is here precede the last one.
            let answer = body.containsText("0009done") ? script.oldAnswer(deepens: body.containsText("deepen ")) : nil
            stages = [(.fetchHead, head("result"))] + (answer ?? [(.acknowledgments, Packet.line("NAK\n"))])
        }
        if send(script.pieces(stages)) {
            // What is still on its way would be lost by an end that is not orderly.
            shutdown(client, Int32(SHUT_WR))
            while fill() { (unread, start) = ([], 0) }
        }
    }

    private func header() -> String? {
        while true {
            let bytes = unread[start...]
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                start = end.upperBound
                return String(decoding: bytes[..<end.upperBound], as: UTF8.self)
            }
            guard fill() else { return nil }
        }
    }

    private func body(of head: String) -> [UInt8]? {
        let lines = head.lowercased().components(separatedBy: "\r\n")
        func value(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name + ":") }?.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
        }
        guard value("transfer-encoding") == "chunked" else {
            return take(value("content-length").flatMap { Int($0) } ?? 0)
        }
        var body: [UInt8] = []
        while let line = line(), let size = Int(line, radix: 16), let chunk = take(size), self.line() != nil {
            if size == 0 { return body }
            body += chunk
        }
        return nil
    }

    private func line() -> String? {
        while true {
            if let end = unread[start...].firstIndex(of: 10) {
                defer { start = end + 1 }
                return String(decoding: unread[start..<end], as: UTF8.self).trimmingCharacters(in: .whitespaces)
                    .trimmingCharacters(in: .newlines)
            }
            guard fill() else { return nil }
        }
    }

    // MARK: git://

    private func talk() {
        guard let greeting = packet(), let script = ask(.init(kind: .discovery, size: greeting.count)) else { return }
        guard door.isVersion2 else { return talkOld(script) }
        guard send(script.pieces([(.capabilities, GitScript.capabilities)])) else { return }
        while let command = message() {
            let isList = command.containsText("command=ls-refs")
            guard !command.isEmpty, let script = ask(.init(kind: isList ? .references : .fetch, size: command.count))
            else { return }
            let stages =
                isList ? [(.references, script.listing)] : script.answer(deepens: command.containsText("deepen "))
            guard send(script.pieces(stages)) else { return }
        }
    }

    private func talkOld(_ script: GitScript) {
        guard send(script.pieces(script.oldAdvertisement)), let wants = message(), !wants.isEmpty else { return }
        var size = wants.count
        while let line = packet(), !line.containsText("done") { size += line.count }
        guard let script = ask(.init(kind: .fetch, size: size)) else { return }
        _ = send(script.pieces(script.oldAnswer(deepens: wants.containsText("deepen "))))
    }

    /// Up to a flush.
    private func message() -> [UInt8]? {
        var message: [UInt8] = []
        while let line = packet() {
            if line.isEmpty { return message }
            message += line
        }
        return nil
    }

    /// The bytes of one; none for a flush.
    private func packet() -> [UInt8]? {
        guard let digits = take(4), let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else {
            return nil
        }
        switch size {
        case 0: return []
        case 1...4: return [10]
        default: return take(size - 4)
        }
    }

    // MARK: bytes

    private func take(_ count: Int) -> [UInt8]? {
        while unread.count - start < count { guard fill() else { return nil } }
        defer { start += count }
        return Array(unread[start..<start + count])
    }

    private func fill() -> Bool {
        if start > 0 { unread.removeSubrange(..<start) }
        start = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        let count = recv(client, &buffer, buffer.count, 0)
        if count > 0 { unread += buffer[..<count] }
        return count > 0
    }

    /// - Returns: whether the connection is still open.
    private func send(_ pieces: [Piece]) -> Bool { pieces.allSatisfy { send($0) } }

    private func send(_ piece: Piece) -> Bool {
        if piece.times == 0 { return false }
        return piece.bytes.withUnsafeBytes { bytes in
            for _ in 0..<piece.times {
                var sent = 0
                while sent < bytes.count {
                    let count = Foundation.send(
                        client, bytes.baseAddress! + sent, min(piece.step, bytes.count - sent), Int32(MSG_NOSIGNAL))
                    guard count > 0 else { return false }
                    sent += count
                    if piece.pause > 0 { usleep(UInt32(piece.pause * 1e6)) }
                }
            }
            return true
        }
    }
}

extension [UInt8] {
    fileprivate func containsText(_ text: String) -> Bool { Data(self).range(of: Data(text.utf8)) != nil }
}

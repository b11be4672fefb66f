public import Foundation

/// An HTTP answer.
public struct HTTPAnswer: Sendable {
    /// The status code.
    public let status: Int
    /// The header fields by their names in lower case.
    public let headers: [String: String]
    /// The body.
    public let body: Data
    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// One GET over a connection of its own.
public func get(_ port: UInt16, _ path: String, headers: [String: String] = [:]) throws -> HTTPAnswer {
    let descriptor = try connected(to: port)
    defer { close(descriptor) }
    let fields = ["Host": "localhost"].merging(headers) { $1 }.map { "\($0): \($1)\r\n" }.joined()
    let request = Array("GET \(path) HTTP/1.0\r\n\(fields)\r\n".utf8)
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
        throw TestFailure("request not sent")
    }
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw TestFailure("answer broken off: \(String(cString: strerror(errno)))") }
        if count == 0 { break }
        data.append(contentsOf: buffer[..<count])
    }
    guard let end = data.firstRange(of: Data("\r\n\r\n".utf8)) else {
        throw TestFailure("no answer: \(data.count) bytes")
    }
    let lines = String(decoding: data[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
        throw TestFailure("no status: \(lines)")
    }
    var fieldsByName: [String: String] = [:]
    for line in lines.dropFirst() {
        guard let colon = line.firstIndex(of: ":") else { continue }
        fieldsByName[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
            in: .whitespaces)
    }
    let body = data[end.upperBound...]
    if let length = fieldsByName["content-length"].flatMap({ Int($0) }), length != body.count {
        throw TestFailure("\(path): \(body.count) of \(length) bytes")
    }
    return HTTPAnswer(status: status, headers: fieldsByName, body: Data(body))
}

import HTTPTypes
import HummingbirdCore
import NIOCore

/// What a request is answered with.
struct Reply: Sendable {
    let status: HTTPResponse.Status
    let type: String
    let text: String
    var fields: HTTPFields = [:]

    static let plain = "text/plain; charset=utf-8"
    static let json = "application/json"
    static let html = "text/html; charset=utf-8"

    init(_ status: HTTPResponse.Status, _ text: String, as type: String = Reply.plain) {
        (self.status, self.type) = (status, type)
        self.text = type == Self.plain && !text.hasSuffix("\n") ? text + "\n" : text
    }

    /// Nothing here may be kept, framed, guessed at or run.
    var head: HTTPResponse {
        var fields = fields
        fields[.contentType] = type
        fields[.contentLength] = "\(text.utf8.count)"
        fields[.cacheControl] = "no-store"
        fields[.xContentTypeOptions] = "nosniff"
        if fields[.contentSecurityPolicy] == nil {
            fields[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
        fields[.connection] = "close"
        return HTTPResponse(status: status, headerFields: fields)
    }

    func body(for request: Request) -> ByteBuffer {
        request.method == .head ? ByteBuffer() : ByteBuffer(string: text)
    }
}

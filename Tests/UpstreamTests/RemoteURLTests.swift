import Testing

@testable import Upstream

@Suite struct `Addresses` {
    @Test(
        arguments: [
            ("https://host/x.git", .https, "https://host/x.git"), ("http://host:8080/x", .http, "http://host:8080/x"),
            ("HTTPS://host/x.git", .https, "https://host/x.git"), ("git://host/x", .git, "git://host/x"),
            ("ssh://git@host:22/x.git", .ssh, "ssh://host:22/x.git"),
            ("git@host:group/x.git", .ssh, "git@host:group/x.git"),
            ("file:///srv/x%20y.git", .local, "/srv/x y.git"), ("file://localhost/x", .local, "/x"),
            ("./x:y", .local, "./x:y"),
            ("../x.git", .local, "../x.git"), ("/srv/x", .local, "/srv/x"),
            ("https://[::1]:8080/x", .https, "https://[::1]:8080/x"),
        ] as [(String, RemoteURL.Transport, String)])
    func `every form that git takes is told apart`(text: String, transport: RemoteURL.Transport, address: String) throws
    {
        let url = try RemoteURL(text)
        #expect(url.transport == transport)
        #expect(url.address == address)
    }

    @Test(
        arguments: [
            ("", .empty), ("gopher://host/x", .scheme("gopher")), ("https:///x", .host), ("https://host", .path),
            ("https://host/", .path), ("https://-oProxyCommand=x/x", .host), ("-oProxyCommand=x:y", .host),
            ("https://host/x\ny", .path), ("file://elsewhere/x", .host), ("https://user:pa/ss@host/x.git", .host),
            ("https://host:80x/x", .host), ("https://host:99999/x", .host),
        ] as [(String, RemoteURL.Invalid)])
    func `what is none is refused`(text: String, reason: RemoteURL.Invalid) {
        #expect(throws: reason) { try RemoteURL(text) }
    }

    @Test func `a login is taken apart and never printed`() throws {
        let url = try RemoteURL("https://us%40er:p%3Ass%2Fword@host:8443/x.git")
        #expect(url.user == "us@er")
        #expect(url.password?.reveal() == "p:ss/word")
        var dumped = ""
        dump(url, to: &dumped)
        for text in ["\(url)", String(reflecting: url), dumped] {
            #expect(!text.contains("ss/word") && text.contains("8443"))
        }
        #expect(url.authority == "host:8443")
        #expect(try RemoteURL("https://HOST/x").authority == "host:443")
        #expect(try RemoteURL("http://[::1]/x").authority == "[::1]:80")
    }
}

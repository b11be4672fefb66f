import Platform
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
            ("https://[::1]:8080/x", .https, "https://[::1]:8080/x"), ("ssh://host:/x", .ssh, "ssh://host/x"),
            ("https://u:p@host:/x", .https, "https://host/x"), ("git://host:09418/x", .git, "git://host:9418/x"),
            ("[git@host:2222]:x", .ssh, "[git@host:2222]:x"), ("ssh://[git@host:2222]/x", .ssh, "ssh://host:2222/x"),
            ("https://host/a@b?c#d", .https, "https://host/a@b?c#d"), ("a/b:c", .local, "a/b:c"),
            ("\u{301}:x", .ssh, "\u{301}:x"),
        ] as [(String, RemoteURL.Transport, String)])
    func `every form that git takes is told apart`(text: String, transport: RemoteURL.Transport, address: String) throws
    {
        let url = try RemoteURL(text)
        #expect(url.transport == transport)
        #expect(url.address == address)
    }

    @Test(
        arguments: [
            ("", .empty), ("gopher://host/x", .scheme("gopher")), ("ext::sh -c true", .scheme("ext")),
            ("FD::7", .scheme("fd")), ("https:///x", .host), ("https://host", .path),
            ("https://host/", .path), ("https://-oProxyCommand=x/x", .host), ("-oProxyCommand=x:y", .host),
            ("https://host/x\ny", .path), ("file://elsewhere/x", .host), ("https://host:80x/x", .host),
            ("https://host:99999/x", .host), ("https://host:0/x", .host), ("https://host:+80/x", .host),
            ("host:-x", .path), ("host:", .path), ("[host:x", .host), ("[host]x:y", .host), ("[u:p@host]:x", .host),
            ("ssh://host:22:33/x", .host),
            ("ssh://::1/x", .host), ("https://[host]/x", .host), ("git://host/x%0ay", .path),
            ("https://host/x%00", .path),
            ("ssh://host%2Fx/y", .host), ("ssh://%2DoProxyCommand=x/y", .host),
        ] as [(String, RemoteURL.Invalid)])
    func `what is none is refused`(text: String, reason: RemoteURL.Invalid) {
        #expect(throws: reason) { try RemoteURL(text) }
    }

    @Test(arguments: [
        "https://user:pa/ss@host/x", "https://user:pa?ss@host/x", "https://user:pa#ss@host/x",
        "http://user:/pass@host/x",
        "https://me@example.org:pa/ss@host/x", "https://:pa/ss@host/x", "https://us?er@host/x",
        "https://user:80?ss@host/x",
    ])
    func `a password that ends the host is told from a host that is none`(text: String) {
        #expect(throws: RemoteURL.Invalid.password) { try RemoteURL(text) }
    }

    @Test func `no letter that combines with a delimiter hides it`() throws {
        let url = try RemoteURL("https://user:p@host/\u{301}@evil/x")
        #expect(
            url.endpoint(defaultPort: 0).host == "host" && url.user == "user"
                && url.address == "https://host/\u{301}@evil/x")
        #expect(try RemoteURL("https://u@\u{301}host/x").endpoint(defaultPort: 0).host == "\u{301}host")
        #expect(throws: RemoteURL.Invalid.host) { try RemoteURL("ssh://host:2\u{301}2/x") }
        #expect(throws: RemoteURL.Invalid.password) { try RemoteURL("https://u:p/\u{301}w@host/x") }
        #expect(try RemoteURL("host:\u{301}x").parts.path == "\u{301}x")
        #expect(throws: RemoteURL.Invalid.path) { try RemoteURL("host:-\u{301}x") }
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
        #expect(try RemoteURL("git@Host:x").authority == "host:22")
        #expect(try RemoteURL("[Host:2222]:x").authority == "host:2222")
        #expect(try RemoteURL("/srv/x").authority == "")
    }
}

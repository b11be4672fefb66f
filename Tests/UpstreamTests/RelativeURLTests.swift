import Testing

@testable import Upstream

@Suite struct `The address of a submodule` {
    @Test(
        arguments: [
            ("https://h/a/b.git", "../c.git", "https://h/a/c.git"),
            ("https://h/a/b.git/", "../c.git", "https://h/a/c.git"),
            ("https://h/a/b.git//", "../c.git", "https://h/a/b.git/c.git"),
            ("https://h/a/b.git", "./c.git", "https://h/a/b.git/c.git"),
            ("https://h/a/b.git", "../../x/y.git", "https://h/x/y.git"),
            ("git@h:a/b.git", "../c.git", "git@h:a/c.git"), ("git@h:b.git", "../c.git", "git@h:c.git"),
            ("ssh://git@h:22/a/b.git", "../c.git", "ssh://h:22/a/c.git"),
            ("https://dev.azure.com/o/p/_git/r", "../s", "https://dev.azure.com/o/p/_git/s"),
            ("https://h/a/b.git", "./sub/../c", "https://h/a/b.git/sub/../c"),
            ("https://h/a/b.git", "../c/", "https://h/a/c"), ("/srv/a/b", "../c", "/srv/a/c"),
            ("/srv/a/b.git", "./../x/./y", "/srv/a/x/./y"),
        ])
    func `is joined as git joins it`(base: String, way: String, address: String) throws {
        let url = try RemoteURL(base).resolving(way)
        #expect(url.address == address)
        #expect(try RemoteURL(base).isHome(of: url))
    }

    @Test func `keeps the user of an address over ssh`() throws {
        #expect(try RemoteURL("ssh://git@h:22/a/b.git").resolving("../c.git").user == "git")
    }

    /// git would go there; whoever compares hosts sees that it is another one.
    @Test(arguments: [("https://h/a/b.git", "../../../z/y"), ("https://h/b", "../../z/y")])
    func `may have another host where the way goes too far up`(base: String, way: String) throws {
        if let url = try? RemoteURL(base).resolving(way) { #expect(try !RemoteURL(base).isHome(of: url), "\(url)") }
    }

    @Test(arguments: [("git@h:b.git", "../../c.git"), ("/", "../c")])
    func `is none where nothing is left to go up`(base: String, way: String) throws {
        let url = try? RemoteURL(base).resolving(way)
        #expect(url?.transport != .ssh && url?.transport != .https, "\(String(describing: url))")
    }

    @Test(arguments: [("..", false), ("c.git", false), (".../c", false), ("./c", true), ("../c", true)])
    func `is a way only with a dot and a slash at its start`(text: String, isRelative: Bool) {
        #expect(RemoteURL.isRelative(text) == isRelative)
    }
}

import Testing

@testable import Upstream

@Suite struct `The page of a commit` {
    @Test(arguments: [
        ("https://github.com/group/site.git", "https://github.com/group/site/commit/ID"),
        ("https://reader:secret@github.com/group/site.git/", "https://github.com/group/site/commit/ID"),
        ("git@github.com:group/site.git", "https://github.com/group/site/commit/ID"),
        ("ssh://git@github.example.org:2222/group/site", "https://github.example.org/group/site/commit/ID"),
        ("https://gitlab.com/a/b/c.git", "https://gitlab.com/a/b/c/-/commit/ID"),
        ("https://gitlab.example.org:8443/a/b", "https://gitlab.example.org:8443/a/b/-/commit/ID"),
        ("http://gitea.local:3000/a/b.git", "http://gitea.local:3000/a/b/commit/ID"),
        ("https://codeberg.org/a/b", "https://codeberg.org/a/b/commit/ID"),
        ("https://bitbucket.org/a/b.git", "https://bitbucket.org/a/b/commits/ID"),
        ("https://GitHub.com/a/%22%3E%3Cb", "https://GitHub.com/a/%22%3E%3Cb/commit/ID"),
    ])
    func `is found where the host's name says whose it is`(address: String, page: String) throws {
        #expect(try RemoteURL(address).page(of: "ID") == page)
    }

    @Test(arguments: [
        "https://git.example.org/a/b.git", "/srv/github/site.git", "file:///srv/site.git", "git://github.com/a/b.git",
        "https://notgithub.com/a/b", "https://example.org/github/b",
    ])
    func `is not guessed`(address: String) throws {
        #expect(try RemoteURL(address).page(of: "ID") == nil)
    }
}

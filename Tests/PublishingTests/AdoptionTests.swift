import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `A folder that holds other things` {
    private func moved(_ notices: [Notice]) -> Set<String> {
        Set(
            notices.compactMap {
                if case .movedToLostAndFound(let path, _) = $0 { path } else { nil }
            })
    }

    /// A file of somebody else in DESTINATION.
    private func put(_ text: String, at name: String, in site: Site, mode: mode_t = 0o644) throws {
        try site.folder.write(text, to: "www/" + name)
        guard chmod(site.www + "/" + name, mode) == 0 else { throw TestFailure("chmod \(name)") }
    }

    @Test func `files with the same bytes and modes are taken as they are`() throws {
        let site = try Site(nil)
        try put("1", at: "a", in: site)
        try put("2", at: "deep/er/b", in: site)
        try put("3", at: "private", in: site, mode: 0o600)
        let before = try ["a", "deep/er/b"].map { try #require(try site.status($0)) }
        let commit = try site.commit(["a": "1", "deep/er/b": "2", "private": "3", "new": "4"])
        let staged = try site.stage(commit)
        #expect(staged.filesWritten == 2, "the one that is new and the one with another mode")
        #expect(try site.publisher.publish(staged) == [])
        #expect(try site.publisher.layoutKind == .folder)
        #expect(try ["a", "deep/er/b"].map { try #require(try site.status($0)) } == before)
        #expect(try site.status("private")?.permissions == 0o644)
        #expect(try site.differences(commit) == [])
        #expect(try site.lost() == [:])
        // From then on they are ours.
        try site.publish(["a": nil, "deep/er/b": nil])
        #expect(try site.status("a") == nil && site.status("deep") == nil)
        #expect(try site.lost() == [:])
    }

    @Test func `what stands in nobody's way is left alone, by inode, through every update`() throws {
        let site = try Site(nil)
        for name in ["mine.txt", "dir/mine", "only/mine", ".hidden"] { try put("mine", at: name, in: site) }
        #expect(symlink("/etc/passwd", site.www + "/mylink") == 0)
        let names = ["mine.txt", "dir/mine", "only/mine", ".hidden", "mylink"]
        let before = try names.map { try #require(try site.status($0)) }
        #expect(try site.publish(["dir/a": "1", "dir/sub/b": "2", "c": "3"]) == [])
        try site.open()
        #expect(try site.publish(["dir/a": nil, "dir/sub/b": nil, "c": "4"]) == [])
        #expect(try names.map { try #require(try site.status($0)) } == before)
        #expect(try site.status("dir/sub") == nil)
        #expect(try site.publish(site.source.commit(rows: [])) == [])
        #expect(try names.map { try #require(try site.status($0)) } == before)
        #expect(try site.lost() == [:])
    }

    @Test func `a file that stands in the way is kept in lost+found and named`() throws {
        let site = try Site(nil)
        try put("theirs", at: "index.html", in: site)
        try put("theirs too", at: "dir/a", in: site)
        let commit = try site.commit(["index.html": "ours", "dir/a": "ours too"])
        let notices = try site.publish(commit)
        #expect(moved(notices) == ["index.html", "dir/a"])
        #expect(try site.lost() == ["index.html": "theirs", "dir/a": "theirs too"])
        #expect(try site.differences(commit) == [])
        #expect(try site.folder.status(".sidekick/www/lost+found")?.permissions == 0o700)
        for case .movedToLostAndFound(let path, let place) in notices {
            #expect(try String(contentsOfFile: place, encoding: .utf8) == (path == "dir/a" ? "theirs too" : "theirs"))
        }
    }

    @Test func `the clone that the shell loop left becomes a published folder`() throws {
        let site = try Site(nil)
        let commit = try site.commit(["index.html": "1", "css/style.css": "2"])
        try Command.run(["git", "clone", "-q", site.source.path, site.www], environment: GitRepository.environment())
        for name in ["index.html", "css/style.css"] { chmod(site.www + "/" + name, 0o644) }
        let before = try #require(try site.status("index.html"))
        #expect(moved(try site.publish(commit)) == [".git"])
        #expect(try site.status(".git") == nil)
        #expect(try site.status("index.html") == before)
        #expect(try site.lost()[".git/HEAD"] == "ref: refs/heads/main\n")
    }

    @Test func `a .git that comes later is moved at the next update, file or folder, at the root and below`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "dir/b": "1"])
        try put("gitdir: elsewhere", at: ".git", in: site)
        try put("secret", at: "dir/.git/config", in: site)
        #expect(moved(try site.publish(["a": "2", "dir/b": "2"])) == [".git", "dir/.git"])
        #expect(try site.status(".git") == nil && site.status("dir/.git") == nil)
        #expect(try site.lost() == [".git": "gitdir: elsewhere", "dir/.git/config": "secret"])
    }

    @Test func `a .git in a folder of ours that no update touches is moved at the next start`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "dir/b": "1"])
        try put("secret", at: "dir/.git/config", in: site)
        #expect(moved(try site.open()) == ["dir/.git"])
        #expect(try site.status("dir/.git") == nil)
    }

    @Test func `no .git is served, not even in a folder that is not ours`() throws {
        let site = try Site(.folder)
        try put("secret", at: "blog/.git/config", in: site)
        try site.publish(["a": "1"])
        #expect(try site.status("blog/.git") == nil)
    }

    @Test func `a foreign folder where a file must go is kept whole`() throws {
        let site = try Site(nil)
        try put("1", at: "a/one", in: site)
        try put("2", at: "a/deep/two", in: site)
        #expect(symlink("one", site.www + "/a/link") == 0)
        let notices = try site.publish(["a": "ours"])
        #expect(!moved(notices).isEmpty)
        #expect(try site.read("a") == "ours")
        #expect(try site.lost() == ["a/one": "1", "a/deep/two": "2", "a/link": "-> one"])
    }

    @Test func `a foreign link or file where a folder must go makes room, and nothing is written through it`() throws {
        let site = try Site(nil)
        try site.folder.write("outside", to: "elsewhere/index.html")
        try put("theirs", at: "file", in: site)
        #expect(symlink(site.folder("elsewhere"), site.www + "/link") == 0)
        #expect(symlink(site.folder("elsewhere"), site.www + "/submodule") == 0)
        let before = try site.folder.snapshot("elsewhere")
        let inner = try site.source.tree([("100644", "index.html", site.source.blob("ours"))])
        let commit = try site.source.commit(rows: [
            ("40000", "file", inner), ("40000", "link", inner),
            ("160000", "submodule", String(repeating: "ab", count: 20)),
        ])
        #expect(moved(try site.publish(commit)) == ["file", "link", "submodule"])
        for name in ["file", "link", "submodule"] { #expect(try site.status(name)?.kind == .folder, "\(name)") }
        #expect(try site.read("link/index.html") == "ours" && site.read("file/index.html") == "ours")
        #expect(try site.folder.snapshot("elsewhere") == before)
        let target = "-> " + site.folder("elsewhere")
        #expect(try site.lost() == ["file": "theirs", "link": target, "submodule": target])
    }

    @Test func `a foreign link where a file must go is replaced, and what it leads to stays as it was`() throws {
        let site = try Site(nil)
        try site.folder.write("outside", to: "elsewhere")
        try put("x", at: "other", in: site)
        #expect(symlink("../elsewhere", site.www + "/a") == 0)
        let before = try site.folder.status("elsewhere")
        #expect(moved(try site.publish(["a": "ours"])) == ["a"])
        #expect(try site.status("a")?.kind == .file && site.read("a") == "ours")
        #expect(try site.folder.status("elsewhere") == before)
        #expect(try site.lost() == ["a": "-> ../elsewhere"])
    }

    @Test(arguments: [false, true])
    func `a published file that somebody edited is kept when it is replaced and when it is removed`(restarts: Bool)
        throws
    {
        let site = try Site(.folder)
        try site.publish(["a": "1", "dir/b": "1", "c": "1", "d": "1"])
        try put("edited", at: "a", in: site)
        try put("edited too", at: "dir/b", in: site)
        // Replaced by a link and by a folder.
        unlink(site.www + "/c")
        #expect(symlink("a", site.www + "/c") == 0)
        unlink(site.www + "/d")
        try put("inside", at: "d/mine", in: site)
        if restarts { try site.open() }
        let commit = try site.commit(["a": "2", "dir/b": nil, "c": nil, "d": "2"])
        #expect(moved(try site.publish(commit)).isSuperset(of: ["a", "dir/b", "c"]))
        #expect(try site.lost() == ["a": "edited", "dir/b": "edited too", "c": "-> a", "d/mine": "inside"])
        #expect(try site.differences(commit) == [])
        #expect(try site.status("dir") == nil)
    }

    @Test func `a published file that somebody touched, or made by hand as the commit has it, is no loss`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "b": "1", "c": "1"])
        try put("1", at: "a", in: site)
        try put("2", at: "b", in: site)
        #expect(utimensat(AT_FDCWD, site.www + "/c", nil, 0) == 0)
        let commit = try site.commit(["a": "2", "b": "2", "c": nil])
        #expect(try site.publish(commit) == [])
        #expect(try site.differences(commit) == [])
        #expect(try site.lost() == [:])
    }

    @Test func `a published file that somebody removed is back when it changes, and no trouble when it goes`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "dir/b": "1", "dir/c": "1"])
        unlink(site.www + "/a")
        try FileManager.default.removeItem(atPath: site.www + "/dir")
        let commit = try site.commit(["a": "2", "dir/b": nil, "dir/c": "2"])
        #expect(try site.publish(commit) == [])
        #expect(try site.differences(commit) == [])
    }
}

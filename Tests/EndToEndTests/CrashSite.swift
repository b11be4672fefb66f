import Foundation
import TestSupport

/// What a path shows: a file's bytes and whether it may be run, or where a link leads.
enum Leaf: Equatable {
    case file(String, executable: Bool = false)
    case link(String)
}

/// All that a folder shows, by path. Folders count by what is in them.
typealias Contents = [String: Leaf]

/// What is at a path; `nil` when nothing is.
func contents(of root: String) throws -> Contents? {
    guard let resolved = realpath(root, nil) else { return nil }
    defer { free(resolved) }
    let root = String(cString: resolved)
    var status = stat()
    var found: Contents = [:]
    for case let path as String in FileManager.default.enumerator(atPath: root) ?? .init() {
        let file = root + "/" + path
        guard lstat(file, &status) == 0 else { throw TestFailure("\(file) went away") }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: break
        case S_IFLNK: found[path] = .link(try FileManager.default.destinationOfSymbolicLink(atPath: file))
        default:
            let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            found[path] = .file(String(decoding: bytes, as: UTF8.self), executable: status.st_mode & 0o111 != 0)
        }
    }
    return found
}

/// A repository whose commits are known path by path.
struct CrashSite: Sendable {
    let source: GitRepository
    let commits: [(id: String, contents: Contents)]

    /// Repositories of its submodules.
    let modules: [GitRepository]

    /// Who has signed its commits.
    let keys: SSHKeys?

    private init(source: GitRepository, commits: [(String, Contents)], modules: [GitRepository]) {
        (self.source, self.commits, self.modules, keys) = (source, commits, modules, nil)
    }

    /// - Parameter folder: what stands before each path in the repository.
    private init(_ all: [Contents], below folder: String = "", isSigned: Bool = false) throws {
        modules = []
        keys = isSigned ? try SSHKeys() : nil
        source = try GitRepository(date: "2024-05-06T07:08:09Z")
        try source.git("config", "uploadpack.allowFilter", "true")
        if let keys {
            try keys.folder.write(try keys.make("owner", "ed25519"), to: "trusted")
            for (name, value) in [
                ("gpg.format", "ssh"), ("user.signingkey", keys.folder("owner")), ("commit.gpgsign", "true"),
            ] { try source.git("config", name, value) }
        }
        // So that the store is a shallow one.
        try source.commit(["before": "all of it"])
        var commits: [(String, Contents)] = []
        for (number, contents) in all.enumerated() {
            try source.git("rm", "-rq", "--ignore-unmatch", ".")
            if !folder.isEmpty { try source.folder.write("\(number)", to: "code") }
            for (path, leaf) in contents {
                let path = folder + path
                switch leaf {
                case .file(let text, let executable):
                    try source.folder.write(text, to: path)
                    if executable { chmod(source.folder(path), 0o755) }
                case .link(let target):
                    let parent = (source.folder(path) as NSString).deletingLastPathComponent
                    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
                    guard symlink(target, source.folder(path)) == 0 else { throw TestFailure("symlink \(path)") }
                }
            }
            commits.append((try source.commit([:], message: "Commit \(number)"), contents))
        }
        self.commits = commits
    }

    /// Something of everything in five commits. The fourth has a change of each kind both against the third, which is
    /// visible then, and against the first, which is the spare that it is made of.
    static let small = Result {
        let first: Contents = [
            "index.html": .file("first"), "css/site.css": .file("first"), "same/page.html": .file("same"),
            "link.html": .link("index.html"), "old/gone.html": .file("gone"), "swap": .file("a file"),
            "kind/inside": .file("x"), "run.sh": .file("first", executable: true),
        ]
        var second = first
        second["index.html"] = .file("second")
        second["passing.html"] = .file("passing")
        var third = first
        third["index.html"] = .file("third")
        third["css/site.css"] = .file("third")
        third["run.sh"] = .file("first")
        third["late/page.html"] = .file("late")
        var fourth = third
        fourth["index.html"] = .file("fourth")
        fourth["css/site.css"] = .file("fourth")
        fourth["link.html"] = .link("css/site.css")
        fourth["run.sh"] = .file("first", executable: true)
        for path in ["old/gone.html", "swap", "kind/inside", "late/page.html"] { fourth[path] = nil }
        fourth["new/deep/page.html"] = .file("new")
        fourth["swap/now"] = .file("a folder")
        fourth["kind"] = .file("a file")
        var fifth = fourth
        fifth["index.html"] = .file("fifth")
        fifth["old/gone.html"] = .file("back")
        fifth["kind"] = nil
        return try CrashSite([first, second, third, fourth, fifth])
    }

    /// A submodule and files of Git LFS, each of which changes, with the site around them.
    static let composed = Result {
        let (site, theme) = (
            try GitRepository(date: "2024-05-06T07:08:09Z"), try GitRepository(date: "2024-05-06T07:08:09Z")
        )
        var commits: [(String, Contents)] = []
        func commit(_ page: String, style: [String: String], pictures: [String: String]) throws {
            let head = try theme.commit(style)
            var files: [String: String?] = ["index.html": page]
            var shown: Contents = ["index.html": .file(page)]
            for (path, text) in pictures {
                let pointer = try lfsPointer(to: Data(text.utf8))
                let object =
                    ".git/lfs/objects/\(pointer.id.prefix(2))/\(pointer.id.dropFirst(2).prefix(2))/\(pointer.id)"
                try site.folder.write(text, to: object)
                files[path] = pointer.text
                shown[path] = .file(text)
            }
            let id = try site.commit(modules: [("theme", theme.path, head)], files)
            shown[".gitmodules"] = .file(try site.folder.read(".gitmodules"))
            for (path, text) in style { shown["theme/" + path] = .file(text) }
            commits.append((id, shown))
        }
        func picture(_ letter: String) -> String { String(repeating: letter, count: 5_000) }
        let style = ["style.css": "one", "font": "f"]
        try commit("first", style: style, pictures: ["a.png": picture("a"), "b/same.png": picture("s")])
        try commit("second", style: style, pictures: ["a.png": picture("a"), "b/same.png": picture("s")])
        try commit(
            "third", style: ["style.css": "two", "font": "f"],
            pictures: ["a.png": picture("b"), "b/same.png": picture("s")])
        let last = ["a.png": picture("c"), "b/same.png": picture("s"), "c/new.png": picture("a")]
        try commit("fourth", style: ["style.css": "three", "font": "f", "more/x": "x"], pictures: last)
        try commit("fifth", style: ["style.css": "three", "font": "f", "more/x": "x"], pictures: last)
        return CrashSite(source: site, commits: commits, modules: [theme])
    }

    /// The small one with pages that compress, one of which comes compressed.
    static let compressible = Result {
        let small = try CrashSite.small.get()
        var all = small.commits.map { commit in
            commit.contents.reduce(into: Contents()) { contents, leaf in
                guard case .file(let text, let executable) = leaf.value else { return contents[leaf.key] = leaf.value }
                let isPage = leaf.key.hasSuffix(".html") || leaf.key.hasSuffix(".css")
                contents[leaf.key] = .file(
                    isPage ? String(repeating: text + " ", count: 400) : text, executable: executable)
            }
        }
        all[2]["same/page.html.gz"] = .file("the repository's own")
        return try CrashSite(all)
    }

    /// The small one by somebody who signs.
    static let signed = Result {
        let small = try CrashSite.small.get()
        return try CrashSite(small.commits.map(\.contents), isSigned: true)
    }

    /// The small one as a folder of a repository that has something else in it.
    static let folder = Result {
        let small = try CrashSite.small.get()
        return try CrashSite(small.commits.map(\.contents), below: "docs/")
    }

    /// 600 files: more than a record keeps in its own file. The fourth commit changes more rows than that, and more files
    /// than one thread makes.
    static let wide = Result {
        var first: Contents = ["index.html": .file("first")]
        for number in 0..<600 { first["\(number / 100)/\(number).html"] = .file("page \(number)") }
        var all = [first]
        for name in ["second", "third"] {
            var next = first
            next["index.html"] = .file(name)
            all.append(next)
        }
        var fourth = first
        fourth["index.html"] = .file("fourth")
        for number in 0..<450 { fourth["\(number / 100)/\(number).html"] = nil }
        for number in 450..<520 { fourth["\(number / 100)/\(number).html"] = .file("new \(number)") }
        var fifth = fourth
        fifth["index.html"] = .file("fifth")
        return try CrashSite(all + [fourth, fifth])
    }
}

import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `What of a commit is published` {
    @Test(arguments: LayoutKind.allCases)
    func `a subdirectory alone is published, and one that is missing changes nothing`(layout: LayoutKind) throws {
        let site = try Site(layout, options: PublishingOptions(recipe: Recipe(subdirectory: TreePath("public/site"))))
        let good = try site.commit(["public/site/a/b": "1", "public/site/c": "2", "public/not": "3", "root": "4"])
        try site.publish(good)
        #expect(try site.read("a/b") == "1")
        #expect(try site.status("public") == nil && site.status("root") == nil && site.status("not") == nil)
        let before = try site.folder.snapshot()
        let missing = try site.commit(["public/site": nil])
        let file = try site.commit(["public/site": "a file"])
        let link = try site.commit([:], links: ["public/site": "../elsewhere"])
        try site.source.git("rm", "-q", "-f", "public/site")
        try site.source.git("update-index", "--add", "--cacheinfo", "160000,\(good),public/site")
        try site.source.git("commit", "-q", "-m", "A submodule")
        let submodule = try site.source.head
        for (commit, words) in [
            (missing, "has no folder public/site"),
            (file, "public/site in commit \(file.prefix(10)) is a file and no folder"),
            (link, "is a symbolic link, to ../elsewhere"), (submodule, "is a submodule"),
        ] {
            #expect {
                try site.publish(commit)
            } throws: {
                "\($0)".contains(words) && "\($0)".contains(commit.prefix(10))
            }
        }
        #expect(try site.folder.snapshot() == before)
        #expect(try site.shows(good))
        site.options.recipe.subdirectory = TreePath("public")
        try site.open()
        #expect(try !site.shows(good))
        try site.publish(good)
        #expect(try site.read("site/a/b") == "1" && site.read("not") == "3")
        #expect(try site.status("a") == nil && site.status("c") == nil)
        #expect(try site.publisher.published()?.revision.recipe.subdirectory == TreePath("public"))
    }

    @Test(arguments: LayoutKind.allCases)
    func `LFS pointers are published as they are and counted, submodules are told by path`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let pointer = try site.source.blob("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
        let commit = try site.source.commit(rows: [
            ("100644", "a.bin", pointer), ("100644", "b.bin", pointer),
            ("160000", "module", String(repeating: "ab", count: 20)),
        ])
        let notices = try site.publish(commit)
        #expect(notices.contains(.lfsPointers(count: 2)))
        #expect(notices.contains(.submodule(path: TreePath("module"))))
        #expect(notices.count == 2)
    }
}

import Foundation
import TestSupport

/// One way to damage a store.
struct Damage: Sendable {
    let name: String
    let inflict: @Sendable (_ store: StoreFiles) throws -> Void

    init(_ name: String, _ inflict: @escaping @Sendable (StoreFiles) throws -> Void) {
        self.name = name
        self.inflict = inflict
    }
}

/// The files of a store, by hand.
struct StoreFiles: Sendable {
    let path: String

    private var manager: FileManager { .default }

    func names(_ suffix: String) throws -> [String] {
        let folder = path + "/objects/pack"
        let names = try manager.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(suffix) }
        guard !names.isEmpty else { throw TestFailure("no *\(suffix) to damage") }
        return names.map { "objects/pack/" + $0 }
    }

    func write(_ text: String, to name: String) throws {
        let file = path + "/" + name
        try manager.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        chmod(file, 0o644)
    }

    /// In one step: a pass that comes in between would make the folder anew.
    func putFile(inPlaceOf folder: String) throws {
        try write("", to: folder + ".new")
        try Command.run([
            "python3", "-c",
            "import ctypes, sys; sys.exit(ctypes.CDLL(None).renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2))",
            path + "/\(folder).new", path + "/\(folder)",
        ])
        try remove(folder + ".new")
    }

    func remove(_ name: String) throws {
        let path = path + "/" + name
        for tries in 1... {
            do { return try manager.removeItem(atPath: path) } catch {
                // A daemon that makes and removes files in it meanwhile may be in the way.
                guard tries < 100, manager.fileExists(atPath: path) else { throw error }
                usleep(10_000)
            }
        }
    }

    /// Neither the first one nor the last.
    func middlePack() throws -> String {
        let packs = try names(".pack").map { name in
            let date = try manager.attributesOfItem(atPath: path + "/" + name)[.modificationDate] as? Date
            return (name, date ?? .distantPast)
        }
        return packs.sorted { $0.1 < $1.1 }[packs.count / 2].0
    }

    /// Keeps a part of a file, in thousandths.
    func truncate(_ name: String, to thousandths: Int) throws {
        try change(name) { $0 = $0.prefix($0.count * thousandths / 1000) }
    }

    func flip(_ name: String, at thousandths: Int) throws {
        try change(name) { data in
            let start = data.startIndex + data.count * thousandths / 1000
            for position in start..<min(start + 4, data.endIndex) { data[position] ^= 0x55 }
        }
    }

    private func change(_ name: String, _ body: (inout Data) -> Void) throws {
        let file = path + "/" + name
        var data = try Data(contentsOf: URL(fileURLWithPath: file))
        body(&data)
        // As another file: a mapped one that gets shorter under its reader ends that process by SIGBUS, git's or ours, and that is
        // no damage that a disk does.
        try data.write(to: URL(fileURLWithPath: file), options: .atomic)
        chmod(file, 0o644)
    }

    /// The store's objects, as loose ones: what git's own tools may leave there.
    func unpack() throws -> [String] {
        for name in try manager.contentsOfDirectory(atPath: path + "/objects") where name.count == 2 {
            try remove("objects/" + name)
        }
        for pack in try names(".pack") {
            let data = try Data(contentsOf: URL(fileURLWithPath: path + "/" + pack))
            try remove(pack)
            try remove(String(pack.dropLast(4)) + "idx")
            try Command.run(
                ["git", "unpack-objects", "-q"], in: path, environment: GitRepository.environment(), input: data)
        }
        return try manager.subpathsOfDirectory(atPath: path + "/objects")
            .filter { $0.count == 41 && !$0.hasPrefix("pack") }.map { "objects/" + $0 }
    }
}

extension Damage {
    /// In this order, one after the other on one store.
    static let all: [Damage] =
        [0, 20, 500, 980].map { part in
            Damage("packs cut at \(part) of 1000") { store in
                for pack in try store.names(".pack") { try store.truncate(pack, to: part) }
            }
        }
        + [0, 60, 300, 500, 700, 950].map { part in
            Damage("packs flipped at \(part) of 1000") { store in
                for pack in try store.names(".pack") { try store.flip(pack, at: part) }
            }
        }
        + [0, 20, 400, 700, 990].map { part in
            Damage("indexes flipped at \(part) of 1000") { store in
                for index in try store.names(".idx") { try store.flip(index, at: part) }
            }
        }
        + [
            Damage("indexes cut") { store in
                for index in try store.names(".idx") { try store.truncate(index, to: 600) }
            },
            Damage("indexes removed") { store in for index in try store.names(".idx") { try store.remove(index) } },
            Damage("packs removed, indexes kept") { store in
                for pack in try store.names(".pack") { try store.remove(pack) }
            },
            Damage("HEAD garbage") { try $0.write("\0\u{1}garbage", to: "HEAD") },
            Damage("HEAD empty") { try $0.write("", to: "HEAD") },
            Damage("HEAD removed") { try $0.remove("HEAD") },
            Damage("config garbage") { try $0.write("[[[ \0 = ", to: "config") },
            Damage("config empty") { try $0.write("", to: "config") },
            Damage("config of an unknown format") {
                try $0.write("[core]\n\trepositoryformatversion = 9\n", to: "config")
            },
            Damage("objects removed") { try $0.remove("objects") },
            Damage("objects a file") { store in
                try store.putFile(inPlaceOf: "objects")
            },
            Damage("pack folder removed") { try $0.remove("objects/pack") },
            Damage("pack folder a file") { store in
                try store.putFile(inPlaceOf: "objects/pack")
            },
            Damage("reference garbage") { try $0.write("garbage\n", to: "refs/sidekick/fetched") },
            Damage("reference empty, as after a power cut") { try $0.write("", to: "refs/sidekick/fetched") },
            Damage("reference to nothing") {
                try $0.write(String(repeating: "1", count: 40) + "\n", to: "refs/sidekick/fetched")
            },
            Damage("reference a folder") { store in
                try store.remove("refs/sidekick/fetched")
                try store.write("x", to: "refs/sidekick/fetched/x")
            },
            Damage("references removed") { try $0.remove("refs") },
            Damage("packed references garbage") { try $0.write("garbage \0\n\n", to: "packed-refs") },
            Damage("loose objects cut") { store in
                for object in try store.unpack() { try store.truncate(object, to: 500) }
            },
            Damage("loose objects empty") { store in
                for object in try store.unpack() { try store.truncate(object, to: 0) }
            },
            Damage("shallow garbage") { try $0.write("garbage\n\0\n", to: "shallow") },
            Damage("shallow a folder") { store in
                try? store.remove("shallow")
                try store.write("x", to: "shallow/x")
            },
            Damage("origin garbage") { try $0.write("garbage", to: "sidekick-origin") },
            Damage("origin missing") { try $0.remove("sidekick-origin") },
            Damage("a file") { store in
                try store.remove("")
                try Data().write(to: URL(fileURLWithPath: store.path))
            },
            Damage("an empty folder") { store in
                try store.remove("")
                try FileManager.default.createDirectory(atPath: store.path, withIntermediateDirectories: false)
            },
            Damage("a dangling link") { store in
                try store.remove("")
                symlink("nowhere/at/all", store.path)
            },
            Damage("a link to itself") { store in
                try store.remove("")
                symlink("git", store.path)
            },
            Damage("gone") { try $0.remove("") },
            Damage("leftovers of killed processes") { store in
                for name in [
                    "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock", "shallow.sidekick",
                    "refs/sidekick/fetched.lock", "refs/sidekick/incoming.lock", "refs/sidekick/published/0.lock",
                    "objects/pack/pack_git2_ab12cd", "objects/pack/tmp_pack_ab12", "objects/ab/tmp_obj_ab12",
                ] { try store.write("left over", to: name) }
            },
            Damage("nothing") { _ in },
            Damage("nothing again") { _ in },
            // What libgit2 tells a server of what it has leads into this part of the history.
            Damage("the pack in the middle removed") { store in
                let middle = try store.middlePack()
                try store.remove(middle)
                try store.remove(String(middle.dropLast(4)) + "idx")
            },
            Damage("nothing for a third time") { _ in },
            Damage("nothing for a fourth time") { _ in },
            Damage("the pack in the middle removed, its index kept") { try $0.remove(try $0.middlePack()) },
            Damage("nothing for a fifth time") { _ in },
            Damage("nothing for a sixth time") { _ in },
            Damage("the pack in the middle flipped") { try $0.flip(try $0.middlePack(), at: 500) },
        ]
}

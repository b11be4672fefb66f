import Git
import TestSupport
import Testing

@testable import Upstream

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
private let id = String(repeating: "a1", count: 20)
private let other = String(repeating: "b2", count: 20)

@Suite struct `pkt-lines` {
    private func decode(_ input: [UInt8], chunk: Int) throws -> [PacketLine] {
        var decoder = PacketLineDecoder()
        var packets: [PacketLine] = []
        for start in stride(from: 0, to: input.count, by: chunk) {
            decoder.append(input[start..<min(start + chunk, input.count)])
            while let packet = try decoder.next() { packets.append(packet) }
        }
        #expect(decoder.isEmpty)
        return packets
    }

    @Test func `lines come out whole, however their bytes arrive`() throws {
        let long = String(repeating: "x", count: PacketLine.maxBytes)
        let input =
            PacketLine.encoded("hello\n") + bytes("0000") + bytes("0004") + bytes("0001") + PacketLine.encoded(long)
            + bytes("0002")
        let expected: [PacketLine] = [
            .data(bytes("hello\n")), .flush, .data([]), .delimiter, .data(bytes(long)), .responseEnd,
        ]
        for chunk in [1, 2, 3, 5, 7, 4_096, input.count] {
            #expect(try decode(input, chunk: chunk) == expected, "\(chunk)")
        }
    }

    @Test(arguments: ["0003", "fff1", "ffff", "zzzz", "-001", " 004", "+004", "00 4", "HTTP/1.1 200 OK", "<htm"])
    func `a length that none has ends it`(text: String) {
        var decoder = PacketLineDecoder()
        decoder.append(bytes(text))
        #expect(throws: ProtocolError.self) { try decoder.next() }
    }

    @Test func `upper-case digits are digits, and 65,520 is the longest`() throws {
        var decoder = PacketLineDecoder()
        decoder.append(bytes("FFF0") + [UInt8](repeating: 7, count: PacketLine.maxBytes) + bytes("000A012345"))
        #expect(try decoder.next() == .data([UInt8](repeating: 7, count: PacketLine.maxBytes)))
        #expect(try decoder.next() == .data(bytes("012345")))
    }
}

@Suite struct `A server's greeting` {
    private func read(_ lines: [PacketLine]) throws -> CapabilityReader.Greeting? {
        var reader = CapabilityReader()
        for line in lines { if let greeting = try reader.take(line) { return greeting } }
        return nil
    }
    private func line(_ text: String) -> PacketLine { .data(bytes(text + "\n")) }

    @Test func `version 2 is told by its capabilities, with the service in front or without`() throws {
        let lines =
            ["version 2", "agent=git/2.39", "ls-refs=unborn", "fetch=shallow filter", "object-format=sha256"].map(line)
            + [.flush]
        for greeting in [try read(lines), try read([line("# service=git-upload-pack"), .flush] + lines)] {
            guard case .version2(let capabilities)? = greeting else {
                Issue.record("\(String(describing: greeting))")
                continue
            }
            #expect(capabilities.has("agent") && capabilities.has("unborn", of: "ls-refs"))
            #expect(capabilities.has("filter", of: "fetch") && !capabilities.has("sideband-all", of: "fetch"))
            #expect(capabilities.objectFormat == "sha256")
        }
    }

    @Test func `older versions are told by what they begin with`() throws {
        #expect(try read([line("\(id) HEAD\0multi_ack symref=HEAD:refs/heads/main")]) == .old)
        #expect(try read([line("# service=git-upload-pack"), .flush, line("\(id) HEAD\0x")]) == .old)
        #expect(try read([line("version 1")]) == .old)
        let none = String(repeating: "0", count: 40)
        #expect(try read([line("\(none) capabilities^{}\0x")]) == .old)
    }

    @Test(arguments: ["version 3", "hello", "<html>", "\(id)", "\(id.dropLast()) HEAD", ""])
    func `anything else is an error with what was found`(text: String) {
        let error = #expect(throws: ProtocolError.self) { try read([line(text)]) }
        #expect(error?.description.contains("greeting") == true)
    }

    @Test func `a server may refuse at once, and may not talk for ever`() throws {
        #expect(throws: ProtocolError.refused("access denied")) { try read([line("ERR access denied")]) }
        #expect(throws: ProtocolError.tooMuch("capabilities")) {
            try read([line("version 2")] + (0...CapabilityReader.maxLines).map { line("c\($0)") })
        }
        #expect(try read([.flush]) == .old, "a repository without references")
        #expect(throws: ProtocolError.self) { try read([line("version 2"), .delimiter]) }
    }
}

@Suite struct `ls-refs` {
    private func list(_ interest: RefInterest, _ lines: [String]) throws -> ListReferences {
        var list = ListReferences(interest)
        for line in lines { #expect(try !list.take(.data(bytes(line + "\n")))) }
        #expect(try list.take(.flush))
        return list
    }

    @Test func `names, targets, tags and what HEAD leads to are read, and what was not asked for is dropped`() throws {
        let list = try list(
            .exactly(["HEAD", "refs/heads/main"]),
            [
                "\(id) HEAD symref-target:refs/heads/main", "\(id) refs/heads/main", "\(id) refs/heads/main2",
                "\(other) refs/tags/v1 peeled:\(id)",
            ])
        let commit = try #require(ObjectID(hex: id))
        #expect(
            list.references == [
                Reference(name: "HEAD", target: commit, symbolic: "refs/heads/main"),
                Reference(name: "refs/heads/main", target: commit),
            ])
        let tags = try self.list(.below("refs/tags/"), ["\(other) refs/tags/v1 peeled:\(id)"])
        #expect(tags.references.first?.peeled == commit)
        #expect(
            try self.list(.exactly(["HEAD"]), ["unborn HEAD symref-target:refs/heads/main"]).unbornHead
                == "refs/heads/main")
    }

    @Test(arguments: [
        "", "x", "\(id)", "\(id) ", "\(id.dropLast()) HEAD", "\(id)0 HEAD", "gggg HEAD", "\(id) HEAD peeled:1",
        "\u{fffd} HEAD",
    ])
    func `a line that is none is an error`(line: String) {
        var list = ListReferences(.exactly(["HEAD"]))
        #expect(throws: ProtocolError.self) { _ = try list.take(.data(bytes(line + "\n"))) }
    }

    @Test func `the request asks for what is wanted and no more`() throws {
        var reader = CapabilityReader()
        for line in ["version 2\n", "agent=x\n", "ls-refs=unborn\n", "fetch=shallow\n", "object-format=sha1\n"] {
            _ = try reader.take(.data(bytes(line)))
        }
        guard case .version2(let server)? = try reader.take(.flush) else { return }
        let command = ListReferences(.exactly(["HEAD"])).command(for: server, agent: "sidekick/1")
        #expect(
            String(decoding: command, as: UTF8.self)
                == "0014command=ls-refs\n0015agent=sidekick/1\n0017object-format=sha1\n00010009peel\n000csymrefs\n000bunborn\n0014ref-prefix HEAD\n0000"
        )
        var fetch = FetchPack(want: try #require(ObjectID(hex: id)))
        (fetch.haves, fetch.shallow, fetch.depth) = (
            [try #require(ObjectID(hex: other))], [try #require(ObjectID(hex: other))], 1
        )
        let text = String(decoding: fetch.command(for: server, agent: "a"), as: UTF8.self)
        for part in [
            "thin-pack\n", "ofs-delta\n", "want \(id)\n", "shallow \(other)\n", "deepen 1\n", "have \(other)\n",
            "done\n0000",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        // A server that has no shallow must not be asked for it.
        #expect(
            !String(decoding: fetch.command(for: ServerCapabilities(), agent: "a"), as: UTF8.self).contains("deepen"))
    }
}

@Suite struct `The answer to fetch` {
    private func read(_ packets: [PacketLine]) throws -> [FetchPackAnswer.Event] {
        var answer = FetchPackAnswer()
        return try packets.compactMap { try answer.take($0) }
    }
    private func line(_ text: String) -> PacketLine { .data(bytes(text + "\n")) }
    private func band(_ number: UInt8, _ text: String) -> PacketLine { .data([number] + bytes(text)) }

    @Test func `sections are read in their order`() throws {
        let (one, two) = (try #require(ObjectID(hex: id)), try #require(ObjectID(hex: other)))
        let events = try read([
            line("shallow-info"), line("shallow \(id)"), line("unshallow \(other)"), .delimiter, line("packfile"),
            band(2, "Counting objects"), band(1, "PACK"), band(1, "more"), .flush,
        ])
        #expect(
            events == [
                .shallow(one), .unshallow(two), .progress(bytes("Counting objects")), .pack(bytes("PACK")),
                .pack(bytes("more")), .end,
            ])
        // Some servers acknowledge where nothing was to be acknowledged.
        #expect(
            try read([
                line("acknowledgments"), line("NAK"), line("ACK \(id)"), line("ready"), .delimiter, line("packfile"),
                .flush,
            ])
                == [.end])
    }

    @Test func `what a server says at the end of its patience is told in its own words`() {
        #expect(throws: ProtocolError.refused("no space left\n")) {
            try read([line("packfile"), band(3, "no space left\n")])
        }
        #expect(throws: ProtocolError.refused("upload-pack: not our ref x")) {
            try read([line("ERR upload-pack: not our ref x")])
        }
        #expect(throws: ProtocolError.refused("later")) { try read([line("packfile"), line("ERR later")]) }
    }

    @Test func `whatever is out of place is an error`() {
        let wrong: [[PacketLine]] = [
            [.flush], [.delimiter], [.responseEnd], [line("hello")], [line("shallow-info"), .flush],
            [line("shallow-info"), line("shallow x")], [line("shallow-info"), line("deepen \(id)")],
            [line("shallow-info"), line("shallow \(id) x")], [line("acknowledgments"), line("maybe")],
            [line("acknowledgments"), .flush], [line("packfile"), .delimiter], [line("packfile"), .data([])],
            [line("packfile"), band(4, "x")], [line("packfile"), .flush, band(1, "x")], [line("packfile-uris")],
        ]
        for packets in wrong { #expect(throws: ProtocolError.self, "\(packets)") { try read(packets) } }
    }
}

@Suite struct `Bytes that nobody sends` {
    @Test(arguments: 0..<20)
    func `end in an error or in values, never in a trap`(seed: UInt64) {
        var dice = SeededNumbers(seed: seed)
        let words = [
            "0000", "0001", "0002", "0004", "000eversion 2\n", "packfile\n", "000dpackfile\n", "0011shallow-info\n",
            "0014acknowledgments\n",
            "0035shallow \(id)\n", "\(id) HEAD\n", "0032\(id) HEAD\n", "ERR x", "\u{1}PACK", "0009\u{1}PACK", "fff0",
            "# service", "unborn",
        ]
        for _ in 0..<2_000 {
            var input: [UInt8] = []
            for _ in 0..<Int.random(in: 1...12, using: &dice) {
                switch Int.random(in: 0..<4, using: &dice) {
                case 0:
                    input += (0..<Int.random(in: 0...9, using: &dice)).map { _ in
                        UInt8.random(in: 0...255, using: &dice)
                    }
                case 1 where !input.isEmpty:
                    input[Int.random(in: 0..<input.count, using: &dice)] ^= 1 << UInt8.random(in: 0...7, using: &dice)
                default: input += bytes(words.randomElement(using: &dice)!)
                }
            }
            fuzzProtocol(input)
        }
    }
}

@Suite struct `The old protocol` {
    private static let one = String(repeating: "1", count: 40)
    private static let two = String(repeating: "2", count: 40)

    private func read(_ lines: [String?]) throws -> V0Advertisement? {
        var advertisement = V0Advertisement()
        for line in lines {
            let isEnd = try advertisement.take(line.map { .data(Array($0.utf8)) } ?? .flush)
            if isEnd { return advertisement }
        }
        return nil
    }

    @Test func `tells its references with what it can do, tags peeled and names led on`() throws {
        let found = try #require(
            try read([
                "version 1\n",
                "\(Self.one) HEAD\0side-band-64k shallow symref=HEAD:refs/heads/main agent=git/1 object-format=sha1\n",
                "\(Self.one) refs/heads/main\n", "\(Self.two) refs/tags/v1\n", "\(Self.one) refs/tags/v1^{}\n",
                "shallow \(Self.two)\n", nil,
            ]))
        #expect(found.references.map(\.name) == ["HEAD", "refs/heads/main", "refs/tags/v1"])
        #expect(found.references[0].symbolic == "refs/heads/main" && found.objectFormat == "sha1")
        #expect(
            found.references[2].peeled?.description == Self.one && found.references[2].target.description == Self.two)
        #expect(found.capabilities.contains("shallow") && found.shallow.map(\.description) == [Self.two])
        #expect(found.wants(for: found.references[2].target).ids.first?.description == Self.two)
        #expect(try read([nil])?.isEmpty == true)
        let long = String(repeating: "3", count: 64)
        #expect(
            try read(["\(long) HEAD\0object-format=sha256\n", "\(long) refs/heads/main\n", nil])?.objectFormat
                == "sha256")
        #expect(
            try read(["\(String(repeating: "0", count: 40)) capabilities^{}\0a\n", nil])?.references.isEmpty == true)
    }

    @Test(arguments: [
        ["nonsense"], ["1234 HEAD\0a"], ["\(one)\0a"], ["\(one)", nil], ["\(one) HEAD\0a", "\(two)"], ["ERR gone"],
        [""],
    ])
    func `that is malformed is an error`(lines: [String?]) {
        #expect(throws: ProtocolError.self) { try read(lines) }
    }

    @Test func `is asked for all at once, and answers with boundaries, one word, and the pack`() throws {
        let (one, two) = (try #require(ObjectID(hex: Self.one)), try #require(ObjectID(hex: Self.two)))
        var fetch = FetchPack(want: one)
        (fetch.haves, fetch.shallow, fetch.depth) = ([two], [two], 1)
        let request = String(
            decoding: fetch.v0Request([one], for: ["side-band-64k", "shallow"], agent: "x/1"), as: UTF8.self)
        #expect(
            request
                == "0040want \(one) side-band-64k\n0035shallow \(two)\n000ddeepen 1\n00000032have \(two)\n0009done\n")
        var answer = V0FetchAnswer(deepens: true)
        #expect(try answer.take(.data(Array("shallow \(one)".utf8))) == .shallow(one))
        #expect(try answer.take(.data(Array("unshallow \(two)\n".utf8))) == .unshallow(two))
        #expect(try answer.take(.flush) == nil)
        for _ in 0..<3 { #expect(try answer.take(.data(Array("ACK \(two)\n".utf8))) == nil) }
        #expect(try answer.take(.data([1, 80])) == .pack([80]))
        #expect(try answer.take(.flush) == .end)
        for bad: PacketLine in [.flush, .data(Array("PACK".utf8)), .data([1, 80]), .delimiter] {
            var answer = V0FetchAnswer(deepens: false)
            #expect(throws: ProtocolError.self) { try answer.take(bad) }
        }
    }
}

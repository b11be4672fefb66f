import Foundation
import TestSupport
import Testing
import Upstream

@testable import Pipeline

@Suite struct `The loop, with a scripted remote and a driven clock` {
    private func source(_ page: String) throws -> GitRepository {
        let source = try GitRepository()
        try source.commit(["index.html": page])
        return source
    }

    @Test func `a pass that finds nothing is one question, and one that finds something brings it`() async throws {
        let loop = try await LoopOnTrial(source("one"))
        #expect(try await loop.clock.pause() > 0)
        #expect(loop.page == "one" && loop.remote.discoveries == 1 && loop.remote.fetches == 1)
        for _ in 0..<5 { try await loop.clock.goOn() }
        _ = try await loop.clock.pause()
        #expect(loop.remote.discoveries == 6 && loop.remote.fetches == 1)
        try loop.remote.source.commit(["index.html": "two"])
        try await loop.clock.goOn()
        #expect((54...66).contains(try await loop.clock.pause()))
        #expect(loop.page == "two" && loop.remote.fetches == 2)
        await loop.end()
        #expect(loop.count(" published ") == 2, "\(loop.said)")
    }

    @Test func `a failure is told once, asked again after longer and longer, and its end is told`() async throws {
        let fault = UpstreamError.unreachable(host: "host", reason: "refused")
        let loop = try await LoopOnTrial(source("one"), fault: fault)
        // Somebody waits: 1, 2, 4 … seconds, until that is more than DELAY.
        for ceiling in [1.0, 2, 4, 8, 16, 32] {
            let pause = try await loop.clock.goOn()
            #expect((ceiling / 2...ceiling).contains(pause), "\(pause)")
        }
        for _ in 0..<6 { #expect(try await loop.clock.goOn() <= 600) }
        _ = try await loop.clock.pause()
        #expect(loop.count("pass failed, will retry") == 1, "\(loop.said)")
        #expect(loop.page == nil && loop.remote.discoveries == 13)
        loop.remote.fault = nil
        try await loop.clock.goOn()
        _ = try await loop.clock.pause()
        #expect(loop.page == "one" && loop.count("recovered failures=13") == 1, "\(loop.said)")
        // Another one is another failure, and the site stays up.
        loop.remote.fault = fault
        for _ in 0..<4 { try await loop.clock.goOn() }
        _ = try await loop.clock.pause()
        #expect(loop.count("pass failed, will retry") == 2 && loop.page == "one")
        await loop.end()
    }

    @Test func `whoever asks to be left alone is, and a ring does not change that`() async throws {
        let busy = UpstreamError.busy(address: "host", status: 429, retryAfter: .seconds(300), says: nil)
        let loop = try await LoopOnTrial(source("one"), environment: ["DELAY": "1"], fault: busy)
        #expect(try await loop.clock.pause() >= 300)
        await loop.end()
    }

    @Test func `what is no error of ours is told as a bug, and ends no loop`() async throws {
        struct Odd: Error {}
        let loop = try await LoopOnTrial(source("one"), fault: Odd())
        _ = try await loop.clock.pause()
        #expect(loop.said.contains("please report this as a bug"), "\(loop.said)")
        loop.remote.fault = nil
        try await loop.clock.goOn()
        _ = try await loop.clock.pause()
        #expect(loop.page == "one")
        await loop.end()
    }

    @Test func `a push in the middle of a pass is published without a pause when it rings`() async throws {
        let source = try source("one")
        let loop = try await LoopOnTrial(source, fault: UpstreamError.unreachable(host: "host", reason: "refused"))
        _ = try await loop.clock.pause()
        let doorbell = loop.doorbell
        loop.remote.atNextFetch {
            try source.commit(["index.html": "two"])
            doorbell.ring(.webhook)
        }
        loop.remote.fault = nil
        try await loop.clock.goOn()
        try await eventually("both are published") { loop.count(" published ") == 2 }
        #expect(loop.page == "two")
        _ = try await loop.clock.pause()
        #expect(loop.count("pass requested by=webhook") == 1, "\(loop.said)")
        await loop.end()
    }

    @Test func `a push that the remote does not show yet is asked for again, three times and no more`() async throws {
        let source = try source("one")
        let loop = try await LoopOnTrial(source)
        _ = try await loop.clock.pause()
        let unborn = String(repeating: "7", count: 40)
        loop.doorbell.ring(.webhook, expecting: unborn)
        for seconds in [1.0, 2, 4] {
            try await loop.clock.rests { $0 == seconds }
            try await loop.clock.goOn()
        }
        try await loop.clock.rests { $0 > 50 }
        #expect(loop.remote.discoveries == 5, "the first, the push, and three more")

        // One that comes meanwhile ends it, and so does another commit, which may be newer.
        let second = try source.commit(["index.html": "two"])
        loop.doorbell.ring(.webhook, expecting: second)
        try await eventually("it is published") { loop.page == "two" }
        try await loop.clock.rests { $0 > 50 }
        loop.doorbell.ring(.webhook, expecting: unborn)
        try await loop.clock.rests { $0 == 1 }
        try source.commit(["index.html": "three"])
        try await loop.clock.goOn()
        try await loop.clock.rests { $0 > 50 }
        #expect(loop.page == "three")
        await loop.end()
    }

    @Test func `a pass that fails does not use up what is asked again`() async throws {
        let source = try source("one")
        let loop = try await LoopOnTrial(source)
        _ = try await loop.clock.pause()
        loop.remote.fault = UpstreamError.unreachable(host: "host", reason: "refused")
        loop.doorbell.ring(.webhook, expecting: String(repeating: "7", count: 40))
        try await eventually("it fails") { loop.said.contains("refused") }
        _ = try await loop.clock.pause()
        loop.remote.fault = nil
        try await loop.clock.goOn()
        try await loop.clock.rests { $0 == 1 }
        await loop.end()
    }

    @Test func `a commit that is held stays through pushes, failures and restarts, until it is resumed`() async throws {
        let loop = try await LoopOnTrial(source("one"))
        _ = try await loop.clock.pause()
        let first = try loop.remote.source.head
        try loop.remote.source.commit(["index.html": "two"])
        try await loop.clock.goOn()
        _ = try await loop.clock.pause()
        #expect(loop.page == "two")
        try loop.folder.write(
            #"{"commit":"\#(first)","ref":"HEAD","since":"2026-01-01T00:00:00Z"}"#, to: ".sidekick/www/hold.json")
        try loop.remote.source.commit(["index.html": "three"])
        let discoveries = loop.remote.discoveries
        for _ in 0..<3 {
            try await loop.clock.goOn()
            _ = try await loop.clock.pause()
            #expect(loop.page == "one", "\(loop.said)")
        }
        #expect(loop.remote.discoveries == discoveries, "the remote is not asked")
        unlink(loop.folder(".sidekick/www/hold.json"))
        try await loop.clock.goOn()
        _ = try await loop.clock.pause()
        #expect(loop.page == "three")
        await loop.end()
    }
}

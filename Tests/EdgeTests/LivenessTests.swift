import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Synchronization
import Testing

@testable import Edge
@testable import Pipeline

@Suite struct `Liveness` {
    private final class Clock: Sendable {
        private let time = Mutex(1_000.0)
        var now: Double { time.withLock { $0 } }
        func pass(_ seconds: Double) { time.withLock { $0 += seconds } }
    }

    private struct Site {
        let clock = Clock()
        let journal: Journal
        private let router: Router

        init() throws {
            let clock = clock
            journal = Journal(now: { clock.now }, ticks: { clock.now })
            let settings = try Settings.parse(
                flags: [:],
                environment: [
                    "REPOSITORY": "/x", "DESTINATION": "/srv/www", "SIDEKICK_LISTEN": ":0", "SIDEKICK_DEADLINE": "60s",
                ]
            ).settings
            router = Router(
                try #require(settings.edge), settings: settings, journal: journal, doorbell: Doorbell(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func end(nextIn seconds: Double) {
            let status = Status(
                version: "1", process: 1, repository: "/x", ref: "main", destination: "/srv/www", layout: "link")
            journal.note(status, nextIn: .seconds(seconds))
            journal.end(.unchanged, commit: nil)
        }

        func livez() async -> (status: Int, words: String) {
            let head = HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/livez")
            let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
            let reply = await router.reply(to: request) {}
            return (reply.head.status.code, String(buffer: reply.body(for: request)))
        }

        /// Half a minute is left to a machine that is busy.
        func isStuck(after seconds: Double, _ words: String) async {
            clock.pass(seconds + 29)
            #expect(await livez().status == 200, "\(words)")
            clock.pass(2)
            let answer = await livez()
            #expect(answer.status == 503 && answer.words.contains(words), "\(answer)")
        }
    }

    @Test func `is lost by a pass that is stuck beyond its deadline, which is told with its stage`() async throws {
        let site = try Site()
        for stage in [Stage.discover, .fetch, .materialize, .publish] {
            site.journal.begin(nil, isBounded: true)
            site.journal.enter(stage)
            await site.isStuck(after: 60, "a pass has been at \(stage.rawValue) for 91 s")
            site.end(nextIn: 60)
            #expect(await site.livez().status == 200)
        }
    }

    @Test func `is lost by a pass that does not come`() async throws {
        let site = try Site()
        await site.isStuck(after: 60, "the next pass is 91 s late")
        let next = try Site()
        next.journal.begin(nil, isBounded: true)
        next.end(nextIn: 600)
        await next.isStuck(after: 660, "the next pass is 91 s late")
    }

    @Test func `is kept by a first pass for as long as it makes steps, and however long its fetch takes`() async throws
    {
        let site = try Site()
        let steps = Mutex(Duration.zero)
        site.journal.watchSteps { steps.withLock { $0 } }
        site.journal.begin(nil, isBounded: false)
        site.journal.enter(.fetch)
        site.clock.pass(100_000)
        #expect(await site.livez().status == 200)
        site.journal.enter(.materialize)
        site.clock.pass(100_000)
        #expect(await site.livez().status == 200)
        steps.withLock { $0 = .seconds(91) }
        #expect(await site.livez().status == 503)
    }
}

@Suite struct `What Accept asks for` {
    private let prometheus =
        "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"

    @Test func `is weighed`() {
        func isOpen(_ field: String) -> Bool {
            AcceptedTypes(field).prefers("application/openmetrics-text", to: "text/plain")
        }
        for field in [
            prometheus, "application/openmetrics-text", "APPLICATION/OpenMetrics-Text ; Q=0.1",
            "text/plain;q=0.5, application/openmetrics-text;q=0.5", "application/openmetrics-text; version=1.0.0",
        ] { #expect(isOpen(field), "\(field)") }
        for field in [
            "", "*/*", "text/plain", "application/openmetrics-text;q=0", "application/*",
            "application/openmetrics-text;q=0.3, text/plain;q=0.5", "application/openmetrics-textual",
        ] { #expect(!isOpen(field), "\(field)") }
    }
}

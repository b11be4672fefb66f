import Foundation
import Synchronization

/// A git server on loopback that says what it is told to.
public final class ScriptedGitServer: Sendable {
    /// How it is spoken to.
    public enum Door: String, Sendable, CaseIterable {
        case http2, http0, git2, git0

        /// Each answer is one of http then.
        public var isHTTP: Bool { self == .http2 || self == .http0 }
        /// In place of version 0.
        public var isVersion2: Bool { self == .http2 || self == .git2 }
    }

    /// What it was asked.
    public struct Question: Sendable, Equatable {
        /// What it is about.
        public enum Kind: Sendable { case discovery, references, fetch }
        /// What it is about.
        public let kind: Kind
        /// How many bytes it had, without http's header.
        public let size: Int
    }

    /// Where it listens.
    public let port: UInt16
    /// How it is spoken to.
    public let door: Door
    private let listener: Int32
    private let state: Mutex<State>

    private struct State {
        var script: GitScript
        var questions: [Question] = []
        var connections: Set<Int32> = []
    }

    /// Starts it.
    public init(_ door: Door, _ script: GitScript) throws {
        (listener, port) = try listeningSocket()
        self.door = door
        state = Mutex(State(script: script))
        Thread.detachNewThread { [weak self, listener] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                Thread.detachNewThread { [weak self] in
                    guard let conversation = self?.begin(client) else {
                        close(client)
                        return
                    }
                    conversation.run()
                    self?.end(client)
                    close(client)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        state.withLock { for client in $0.connections { shutdown(client, Int32(SHUT_RDWR)) } }
    }

    private func begin(_ client: Int32) -> ScriptedConversation {
        state.withLock { _ = $0.connections.insert(client) }
        return ScriptedConversation(client, door) { [weak self] question in
            self?.state.withLock { state in
                state.questions.append(question)
                return state.script
            }
        }
    }

    private func end(_ client: Int32) { state.withLock { _ = $0.connections.remove(client) } }

    /// The address.
    public var url: String { "\(door.isHTTP ? "http" : "git")://127.0.0.1:\(port)/site.git" }

    /// What it says from the next question on.
    public var script: GitScript {
        get { state.withLock { $0.script } }
        set { state.withLock { $0.script = newValue } }
    }

    /// All that it was asked.
    public var questions: [Question] { state.withLock { $0.questions } }
}

import FoundationEssentials
import HTTPTypes
import Pipeline
import Platform

/// What a delivery tells.
enum Event: Sendable, Equatable {
    case ping
    case pushes([Push])
    /// Something changed, and which reference is not told.
    case anything
    /// What another replica was told.
    case relay(Relay)
    case other
    case malformed
}

/// What replicas tell each other of a webhook that one of them accepted.
struct Relay: Codable, Sendable, Equatable {
    /// So that nothing else that was signed with the same secret can be taken for one.
    var kind = Self.name
    /// What the remote should name now, where that was told.
    var commit: String?

    static let name = "sidekick.push"
}

extension Provider {
    /// Reads a delivery that was accepted.
    func event(of delivery: WebhookRequest) -> Event {
        switch self {
        case .github: return event(named: delivery["X-GitHub-Event"], delivery)
        case .gitea, .forgejo: return event(named: delivery["X-Forgejo-Event"] ?? delivery["X-Gitea-Event"], delivery)
        case .gitlab: return gitlab(delivery)
        case .bitbucket: return bitbucket(delivery)
        case .generic:
            guard !delivery.body.isEmpty else { return .anything }
            guard let payload: Payload.Push = delivery.payload() else { return .malformed }
            return payload.ref == nil ? .anything : payload.pushes
        case .peer:
            guard let relay: Relay = delivery.payload(), relay.kind == Relay.name else { return .malformed }
            return .relay(relay)
        }
    }

    /// GitHub's form, and that of those who took it over.
    private func event(named name: String?, _ delivery: WebhookRequest) -> Event {
        switch name {
        case "ping"?: return .ping
        case "push"?:
            guard let payload: Payload.Push = delivery.payload(), payload.ref != nil else { return .malformed }
            return payload.pushes
        case nil: return .malformed
        default: return .other
        }
    }

    private func gitlab(_ delivery: WebhookRequest) -> Event {
        guard let payload: Payload.Push = delivery.payload() else { return .malformed }
        switch payload.object_kind ?? payload.event_name {
        case "push"?, "tag_push"?: return payload.ref == nil ? .malformed : payload.pushes
        case nil: return .malformed
        default: return .other
        }
    }

    private func bitbucket(_ delivery: WebhookRequest) -> Event {
        switch delivery["X-Event-Key"] {
        case "diagnostics:ping"?: return .ping
        case "repo:push"?:
            guard let payload: Payload.Cloud = delivery.payload() else { return .malformed }
            return .pushes(payload.push.changes.compactMap(\.push))
        case "repo:refs_changed"?:
            guard let payload: Payload.DataCenter = delivery.payload() else { return .malformed }
            return .pushes(payload.changes.map { Push(ref: $0.ref.id, commit: $0.toHash.flatMap(commit)) })
        case nil: return .malformed
        default: return .other
        }
    }
}

/// What is read of the providers' formats: all else in them is theirs to change.
private enum Payload {
    /// GitHub, GitLab, Gitea and Forgejo.
    struct Push: Decodable {
        struct Project: Decodable { var default_branch: String? }
        var ref: String?
        var after: String?
        var deleted: Bool?
        var object_kind: String?
        var event_name: String?
        var repository: Project?
        var project: Project?

        var pushes: Event {
            let commit = deleted == true ? nil : after.flatMap(commit)
            let branch = project?.default_branch ?? repository?.default_branch
            return .pushes([Pipeline.Push(ref: ref ?? "", commit: commit, defaultBranch: branch)])
        }
    }

    /// Bitbucket Cloud.
    struct Cloud: Decodable {
        struct Target: Decodable { var hash: String? }
        struct Reference: Decodable {
            var type: String
            var name: String
            var target: Target?
        }
        struct Change: Decodable {
            var new: Reference?
            var old: Reference?

            var push: Pipeline.Push? {
                guard let reference = new ?? old else { return nil }
                let isTag = reference.type.hasSuffix("tag")
                return Pipeline.Push(
                    ref: (isTag ? "refs/tags/" : "refs/heads/") + reference.name,
                    commit: new?.target?.hash.flatMap(commit))
            }
        }
        struct Changes: Decodable { var changes: [Change] }
        var push: Changes
    }

    /// Bitbucket Data Center.
    struct DataCenter: Decodable {
        struct Reference: Decodable { var id: String }
        struct Change: Decodable {
            var ref: Reference
            var toHash: String?
        }
        var changes: [Change]
    }
}

/// All zeros stand for a reference that is gone.
private func commit(_ id: String) -> String? {
    let isHash = id.utf8.count == 40 && id.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }
    return isHash && id.contains { $0 != "0" } ? id : nil
}

extension WebhookRequest {
    /// The payload, which GitHub and Gitea may also send as a form.
    fileprivate func payload<Value: Decodable>() -> Value? {
        var data = Data(body)
        // Only where it is one: curl calls everything a form.
        if body.starts(with: "payload=".utf8) {
            let form = String(decoding: body, as: UTF8.self).replacing { $0 == UInt8(ascii: "+") ? "%20" : nil }
            let fields = URLComponents(string: "?" + form)?.queryItems ?? []
            guard let text = fields.first(where: { $0.name == "payload" })?.value else { return nil }
            data = Data(text.utf8)
        }
        return try? JSONDecoder().decode(Value.self, from: data)
    }
}

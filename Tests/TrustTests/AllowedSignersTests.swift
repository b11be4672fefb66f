import Foundation
import TestSupport
import Testing

@testable import Trust

@Suite struct `A list of allowed signers` {
    /// Lines made at random, against `ssh-keygen -Y verify`.
    @Test func `allows whom ssh-keygen allows`() throws {
        let keys = try SSHKeys()
        let mine = try keys.make("mine", "ed25519").split(separator: " ").prefix(2).joined(separator: " ")
        let other = try keys.make("other", "ecdsa", bits: 256).split(separator: " ").prefix(2).joined(separator: " ")
        let payload = Data("words".utf8)
        let signature = try keys.sign(payload, by: "mine")
        var numbers = SeededNumbers(seed: SeededNumbers.seed)
        let principals = ["a@example.org", "a,b", "\"a b\"", "*@example.org", "a"]
        let options = [
            "", "", "namespaces=\"git\"", "namespaces=\"file,git\"", "namespaces=\"g?t\"", "namespaces=\"*,!git\"",
            "namespaces=\"file\"", "NAMESPACES=\"git\"", "namespaces=git", "namespaces=\"git\",namespaces=\"git\"",
            "valid-after=\"20200101\"", "valid-after=\"20400101Z\"", "valid-before=\"20400101\"",
            "valid-before=\"202001010000Z\"", "valid-before=\"20200101120000\"", "valid-before=\"2020\"",
            "valid-after=\"20200101Z\",valid-before=\"20190101Z\"", "unknown", "valid-after=\"20201301\"",
            "namespaces=\"git\",valid-after=\"20200101\"", "namespaces=\"git\",", ",", "valid-before=\"20200101z\"",
            "valid-after=\"20200101T\"", "namespaces=\"\"", "valid-after=\"\"", "namespaces=\"git",
        ]
        var (taken, refused) = (0, 0)
        for _ in 0..<Differential.count(150) {
            var lines: [String] = []
            for _ in 0..<Int.random(in: 1...2, using: &numbers) {
                let option = numbers.pick(options)
                let key = numbers.isOne(in: 4) ? other : mine
                let words = [numbers.pick(principals), option, key, numbers.isOne(in: 2) ? "comment" : ""]
                let blank = numbers.isOne(in: 4) ? "\t" : " "
                lines.append(
                    (numbers.isOne(in: 8) ? "  " : "") + words.filter { $0 != "" }.joined(separator: blank)
                        + (numbers.isOne(in: 8) ? " " : ""))
                if numbers.isOne(in: 5) { lines.append(numbers.pick(["# a comment", "", "   ", "\t# another"])) }
            }
            let text = lines.joined(separator: numbers.isOne(in: 6) ? "\r\n" : "\n") + "\n"
            let isTaken =
                (try? TrustedKeys(reading: Array(text.utf8)).signer(of: Array(payload), signature, at: 1_700_000_000))
                != nil
            let isOpenSSH = try keys.judge(payload, signature, Data(text.utf8), at: 1_700_000_000)
            // A line that cannot be read ends its search there; ours is an error wherever it stands.
            let isReadable = (try? TrustedKeys(reading: Array(text.utf8))) != nil
            #expect(isTaken == isOpenSSH || !isReadable && lines.count > 1, "\(text)")
            if isTaken { taken += 1 } else { refused += 1 }
        }
        #expect(taken > 20 && refused > 20, "\(taken), \(refused)")
    }

    @Test func `may be the lines of authorized_keys, and is told by its line where it cannot be read`() throws {
        let keys = try SSHKeys()
        let mine = try keys.make("mine", "ed25519")
        _ = try TrustedKeys(reading: Array("# ours\n\n\(mine)\n".utf8))
        for (text, expected) in [
            ("\(mine)\nwords\n", "line 2: it has no key"), ("", "line 1: it names no key"),
            ("# nothing\n", "line 1: it names no key"), ("a ssh-ed25519 ????", "line 1: its key is not base64"),
            ("a ssh-dss AAAAB3NzaC1kc3M=", "line 1: not supported: a key of the kind ssh-dss"),
            ("a b \(mine)", "line 1: it has an option that is not known: b"),
            (
                "\n-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
                "line 2: it begins something else than a PGP PUBLIC KEY BLOCK"
            ),
            ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n", "line 1: it has no end"),
        ] {
            let error = #expect(throws: MalformedKeys.self) { try TrustedKeys(reading: Array(text.utf8)) }
            #expect(error?.description == expected)
        }
    }
}

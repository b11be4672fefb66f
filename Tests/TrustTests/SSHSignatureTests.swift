import Foundation
import TestSupport
import Testing

@testable import Trust

@Suite struct `A signature of SSH` {
    private static let kinds: [(type: String, bits: Int?)] = [
        ("ed25519", nil), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 2048), ("rsa", 3072),
    ]

    private func refusal(_ keys: TrustedKeys, _ payload: Data, _ signature: [UInt8], at time: Int64 = 1_700_000_000)
        -> Refusal?
    {
        do throws(Refusal) {
            _ = try keys.signer(of: Array(payload), signature, at: time)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: kinds, ["sha256", "sha512"])
    func `is taken when ssh-keygen takes it, whatever byte of it is another`(
        kind: (type: String, bits: Int?), hash: String
    ) throws {
        let keys = try SSHKeys()
        let line = "somebody@example.org " + (try keys.make("key", kind.type, bits: kind.bits))
        let trusted = try TrustedKeys(reading: Array(line.utf8))
        let payload = Data("tree 123\n\nWords\n".utf8)
        let signature = try keys.sign(payload, by: "key", hash: hash)
        let signer = try trusted.signer(of: Array(payload), signature, at: 0)
        let shown = try Command.run(["ssh-keygen", "-l", "-f", keys.folder("key.pub")]).text
        #expect(signer.name == "somebody@example.org" && shown.contains(" \(signer.fingerprint) "), "\(signer)")
        var numbers = SeededNumbers(seed: SeededNumbers.seed)
        // In what it is made of, and in what it is written in.
        let armored = String(decoding: signature, as: UTF8.self)
        let body = armored.split(separator: "\n").dropFirst().dropLast().joined()
        let bytes = Array(try #require(Data(base64Encoded: body)))
        var taken = 0
        for number in 0..<Differential.count(25) {
            var (payload, signature) = (payload, signature)
            if number % 5 == 0 {
                let place = Int.random(in: 0..<payload.count, using: &numbers)
                payload[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &numbers)
            } else if number % 5 < 4 {
                var other = bytes
                let place = Int.random(in: 0..<other.count, using: &numbers)
                switch number % 5 {
                case 1: other[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &numbers)
                case 2: other.remove(at: place)
                default: other.insert(UInt8.random(in: 0...255, using: &numbers), at: place)
                }
                let text = Data(other).base64EncodedString()
                signature = Array(
                    "-----BEGIN SSH SIGNATURE-----\n\(text)\n-----END SSH SIGNATURE-----\n".utf8)
            }
            let isTaken = refusal(trusted, payload, signature) == nil
            taken += isTaken ? 1 : 0
            let isOpenSSH = try keys.judge(payload, signature, Data(line.utf8))
            #expect(isTaken == isOpenSSH, "\(number): \(String(decoding: signature, as: UTF8.self))")
        }
        #expect(taken >= 5)
    }

    /// Security keys, built of keys that are none: what they sign, ssh-keygen judges.
    @Test(arguments: ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"], [true, false])
    func `by a security key is taken when it was touched`(type: String, isTouched: Bool) throws {
        let keys = try SSHKeys()
        let folder = keys.folder
        let isEd25519 = type.contains("ed25519")
        try Command.run(
            ["openssl", "genpkey", "-out", folder("private")]
                + (isEd25519
                    ? ["-algorithm", "ed25519"] : ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]))
        let der = try Command.run(["openssl", "pkey", "-in", folder("private"), "-pubout", "-outform", "DER"]).output
        var blob: [UInt8] = []
        blob.append(string: Array(type.utf8))
        if !isEd25519 { blob.append(string: Array("nistp256".utf8)) }
        blob.append(string: Array(der.suffix(isEd25519 ? 32 : 65)))
        blob.append(string: Array("ssh:".utf8))
        let payload = Data("tree 123\n\nWords\n".utf8)
        var signed = Array("SSHSIG".utf8)
        for part in [Array("git".utf8), [], Array("sha256".utf8), HashAlgorithm.sha256.digest(of: Array(payload))] {
            signed.append(string: part)
        }
        var message = HashAlgorithm.sha256.digest(of: Array("ssh:".utf8))
        message += [isTouched ? 1 : 0, 0, 0, 0, 7] + HashAlgorithm.sha256.digest(of: signed)
        try Data(message).write(to: URL(fileURLWithPath: folder("message")))
        let value = try Command.run(
            isEd25519
                ? ["openssl", "pkeyutl", "-sign", "-inkey", folder("private"), "-rawin", "-in", folder("message")]
                : ["openssl", "dgst", "-sha256", "-sign", folder("private"), folder("message")]
        ).output
        var made: [UInt8] = []
        made.append(string: Array(type.utf8))
        if isEd25519 {
            made.append(string: Array(value))
        } else {
            // From DER's two numbers to SSH's two.
            var (numbers, rest) = ([UInt8](), Array(value.dropFirst(2)))
            for _ in 0..<2 {
                let size = Int(rest[1])
                numbers.append(string: Array(rest[2..<2 + size]))
                rest = Array(rest.dropFirst(2 + size))
            }
            made.append(string: numbers)
        }
        made += [isTouched ? 1 : 0, 0, 0, 0, 7]
        var all = Array("SSHSIG".utf8) + [0, 0, 0, 1]
        for part in [blob, Array("git".utf8), [], Array("sha256".utf8), made] { all.append(string: part) }
        let text = Data(all).base64EncodedString()
        let signature = Array("-----BEGIN SSH SIGNATURE-----\n\(text)\n-----END SSH SIGNATURE-----\n".utf8)
        let line = "me@example.org \(type) \(Data(blob).base64EncodedString())"
        #expect(try keys.judge(payload, signature, Data(line.utf8)), "ssh-keygen does not ask for the touch")
        let found = refusal(try TrustedKeys(reading: Array(line.utf8)), payload, signature)
        #expect(found == (isTouched ? nil : .malformed("the security key was not touched")))
    }

    @Test func `is refused in words that tell why`() throws {
        let keys = try SSHKeys()
        let (mine, other) = (try keys.make("mine", "ed25519"), try keys.make("other", "ed25519"))
        let payload = Data("words".utf8)
        let signature = try keys.sign(payload, by: "mine")
        func why(_ line: String, _ signature: [UInt8], at time: Int64 = 1_700_000_000) throws -> String {
            refusal(try TrustedKeys(reading: Array(line.utf8)), payload, signature, at: time)?.description ?? "taken"
        }
        let mineShown = try Command.run(["ssh-keygen", "-l", "-f", keys.folder("mine.pub")]).text.split(separator: " ")[
            1]
        #expect(try why(mine, signature) == "taken")
        #expect(try why(other, signature).hasSuffix("is by a key that is not trusted: \(mineShown)"))
        #expect(try why(mine, try keys.sign(Data("other words".utf8), by: "mine")).contains("is bad: \(mineShown)"))
        #expect(try why(mine, try keys.sign(payload, by: "mine", namespace: "file")).contains("for something else"))
        #expect(try why("a namespaces=\"file\" " + mine, signature).contains("for something else"))
        #expect(try why("a valid-before=\"20200101\" " + mine, signature).contains("not valid any more"))
        #expect(try why("a valid-after=\"20300101\" " + mine, signature).contains("not valid yet"))
        #expect(
            try why("a valid-before=\"20200101Z\" \(mine)\nb \(mine)", signature) == "taken",
            "another line may allow it")
        #expect(try why(mine, Array("words".utf8)).contains("does not begin as one"))
        #expect(try why(mine, Array("-----BEGIN SIGNED MESSAGE-----\n".utf8)).contains("X.509"))
        #expect(try why(mine, signature + Array("-----BEGIN SSH SIGNATURE-----\n".utf8)).contains("follows"))
    }
}

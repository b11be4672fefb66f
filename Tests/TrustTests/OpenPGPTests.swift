import Foundation
import TestSupport
import Testing

@testable import Trust

@Suite struct `A signature of OpenPGP` {
    private let payload = Data("tree 123\n\nWords\n".utf8)

    private func why(_ keys: Data, _ signature: [UInt8], of payload: Data? = nil) throws -> String {
        do throws(Refusal) {
            let trusted: TrustedKeys
            do throws(MalformedKeys) { trusted = try TrustedKeys(reading: Array(keys)) } catch { return "\(error)" }
            let signer = try trusted.signer(of: Array(payload ?? self.payload), signature, at: 1_900_000_000)
            return "by \(signer.name)"
        } catch {
            return error.description
        }
    }

    @Test(arguments: ["rsa2048", "rsa3072", "ed25519", "nistp256", "nistp384", "nistp521"], ["SHA384", "SHA512"])
    func `is taken when gpg takes it, whatever byte of it is another`(algorithm: String, hash: String) throws {
        let home = try GPGHome()
        try home.gpg("--quick-gen-key", "Some Body <some@example.org>", algorithm, "sign", "0")
        let key = try home.publicKey("some@example.org")
        // A curve needs a hash as long as it is.
        guard algorithm != "nistp521" || hash == "SHA512" else { return }
        let signature = try home.sign(payload, by: "some@example.org", hash: hash)
        #expect(try why(key, signature) == "by Some Body <some@example.org>")
        #expect(try why(key, signature, of: payload + [1]).contains("is bad"))
        let lines = String(decoding: signature, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let body = lines.drop { !$0.isEmpty }.dropFirst().prefix { !$0.hasPrefix("=") && !$0.hasPrefix("-") }
        let bytes = Array(try #require(Data(base64Encoded: body.joined())))
        var numbers = SeededNumbers(seed: SeededNumbers.seed)
        for number in 0..<Differential.count(20) {
            var other = bytes
            let place = Int.random(in: 0..<other.count, using: &numbers)
            switch number % 3 {
            case 0: other[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &numbers)
            case 1: other.remove(at: place)
            default: other.insert(UInt8.random(in: 0...255, using: &numbers), at: place)
            }
            let text = Data(other).base64EncodedString()
            let changed = Array("-----BEGIN PGP SIGNATURE-----\n\n\(text)\n-----END PGP SIGNATURE-----\n".utf8)
            try Data(changed).write(to: URL(fileURLWithPath: home.folder("signature")))
            let isGPG =
                try home.gpg("--verify", home.folder("signature"), "-", input: payload, mayFail: true).status == 0
            let found = try why(key, changed)
            // What is not signed of it, gpg looks at in part, and we do not.
            let isTaken = found.hasPrefix("by ")
            #expect(!isTaken || isGPG || place > 20, "\(found): \(text)")
        }
    }

    @Test func `may be one of several, of which one is trusted, and not of any number`() throws {
        let home = try GPGHome()
        try home.gpg("--quick-gen-key", "Some Body <some@example.org>", "ed25519", "sign", "0")
        try home.gpg("--quick-gen-key", "Other <other@example.org>", "ed25519", "sign", "0")
        let key = try home.publicKey("some@example.org")
        func bytes(_ name: String) throws -> Data {
            let armored = Data(try home.sign(payload, by: name))
            return try home.gpg("--dearmor", input: armored).output
        }
        func armored(_ bytes: Data) -> [UInt8] {
            Array(
                "-----BEGIN PGP SIGNATURE-----\n\n\(bytes.base64EncodedString())\n-----END PGP SIGNATURE-----\n".utf8)
        }
        let (other, mine) = (try bytes("other@example.org"), try bytes("some@example.org"))
        #expect(try why(key, armored(other + mine)) == "by Some Body <some@example.org>")
        #expect(try why(key, armored(other)).contains("not trusted"))
        let many = (0..<10_000).reduce(into: Data()) { all, _ in all += other }
        var found = ""
        let time = try processorTime { found = try why(key, armored(many + mine)) }
        #expect(found.contains("too many signatures"))
        #expect(time < .seconds(5) * Sanitizer.toll)
    }

    @Test func `may be by a subkey, which must say whose it is, and may be taken back`() throws {
        let home = try GPGHome()
        try home.gpg("--quick-gen-key", "Some Body <some@example.org>", "rsa2048", "cert", "0")
        let list = try home.gpg("--with-colons", "--list-keys").text
        let fingerprint = try #require(list.split(separator: "\n").first { $0.hasPrefix("fpr:") }).split(
            separator: ":")[1]
        try home.gpg("--quick-add-key", String(fingerprint), "ed25519", "sign", "0")
        let signature = try home.sign(payload, by: "some@example.org")
        let key = try home.publicKey("some@example.org")
        #expect(try why(key, signature) == "by Some Body <some@example.org>")
        #expect(try why(try Self.withoutBackSignature(key), signature).contains("not trusted"))
        // Its primary key may not sign.
        let other = try GPGHome()
        try other.gpg("--quick-gen-key", "Other <other@example.org>", "ed25519", "sign", "0")
        #expect(try why(try other.publicKey("other@example.org"), signature).contains("not trusted"))
        #expect(
            try why(try other.publicKey("other@example.org") + key, signature).hasPrefix("by "),
            "two blocks in one file")
    }

    /// The block with the embedded signatures of its subkeys made another kind of part.
    private static func withoutBackSignature(_ block: Data) throws -> Data {
        let lines = String(decoding: block, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let body = lines.drop { !$0.isEmpty }.dropFirst().prefix { !$0.hasPrefix("=") && !$0.hasPrefix("-") }
        var bytes = Array(try #require(Data(base64Encoded: body.joined())))
        // Kind 32, then version 4 and kind 0x19: in the part that nobody has signed.
        let place = try #require(
            (0..<bytes.count - 2).first { bytes[$0] == 32 && bytes[$0 + 1] == 4 && bytes[$0 + 2] == 0x19 })
        bytes[place] = 20
        let text = Data(bytes).base64EncodedString()
        return Data("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\(text)\n-----END PGP PUBLIC KEY BLOCK-----\n".utf8)
    }

    @Test func `is judged by the key as it was at that time`() throws {
        let home = try GPGHome()
        try home.gpg(
            "--quick-gen-key", "Some Body <some@example.org>", "ed25519", "sign", "20200201T000000",
            at: "20200101T000000")
        let key = try home.publicKey("some@example.org")
        let before = try home.sign(payload, by: "some@example.org", at: "20200115T000000")
        #expect(try why(key, before) == "by Some Body <some@example.org>", "a key that has expired since")
        // Its owner lets it live on, and it signs later.
        let list = try home.gpg("--with-colons", "--list-keys").text
        let fingerprint = try #require(list.split(separator: "\n").first { $0.hasPrefix("fpr:") }).split(
            separator: ":")[1]
        try home.gpg("--quick-set-expire", String(fingerprint), "20300101T000000", at: "20200120T000000")
        let later = try home.sign(payload, by: "some@example.org", at: "20210101T000000")
        #expect(try why(key, later).contains("had expired"))
        #expect(try why(try home.publicKey("some@example.org"), later).hasPrefix("by "))
        #expect(try why(key, try home.sign(payload, by: "some@example.org", hash: "SHA1")).contains("SHA-1"))
    }

    @Test func `is refused when the key was revoked, whenever it was made`() throws {
        let home = try GPGHome()
        try home.gpg("--quick-gen-key", "Some Body <some@example.org>", "ed25519", "sign", "0")
        let signature = try home.sign(payload, by: "some@example.org")
        let list = try home.gpg("--with-colons", "--list-keys").text
        let fingerprint = try #require(list.split(separator: "\n").first { $0.hasPrefix("fpr:") }).split(
            separator: ":")[1]
        let file = home.folder("openpgp-revocs.d/\(fingerprint).rev")
        let certificate = try String(contentsOfFile: file, encoding: .utf8).replacingOccurrences(
            of: ":-----", with: "-----")
        try certificate.write(toFile: file, atomically: true, encoding: .utf8)
        try home.gpg("--import", file)
        #expect(try why(try home.publicKey("some@example.org"), signature).contains("has revoked"))
    }

    @Test func `by a key of a kind that is not verified is told apart`() throws {
        let home = try GPGHome()
        try home.gpg("--quick-gen-key", "Some Body <some@example.org>", "dsa2048", "sign", "0")
        #expect(try why(try home.publicKey("some@example.org"), []).contains("not supported"))
    }
}

/// Feeds the readers of keys and signatures with bytes from outside, as a fuzzer does: a list of keys, a zero byte, a signature. Each must
/// end in values or an error.
package func fuzzTrust(_ input: [UInt8]) {
    let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let payload = Array("tree\n".utf8)
    do throws(MalformedKeys) {
        let keys = try TrustedKeys(reading: Array(parts[0]))
        do throws(Refusal) {
            _ = try keys.signer(of: payload, Array(parts.last ?? []), at: 1_700_000_000)
        } catch {
            precondition(error.description.utf8.count < 2_000)
        }
    } catch {
        precondition(error.description.utf8.count < 2_000)
    }
    // What is in armor is hard to find by chance.
    _ = try? OpenPGPKey.read(input)
    _ = try? SSHSignature(input).verifies(payload)
    _ = try? OpenPGPSignature(input)
}

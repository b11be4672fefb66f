extension TemporaryFolder {
    /// Makes a certificate, signed by itself: `NAME.crt`, its key `NAME.key`, and both in one file.
    ///
    /// - Returns: the path of the one file.
    public func certificate(_ name: String, for subject: String = "IP:127.0.0.1") throws -> String {
        try Command.run([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=\(subject)", "-keyout", self("\(name).key"), "-out", self("\(name).crt"),
        ])
        try write(try read("\(name).crt") + read("\(name).key"), to: "\(name).pem")
        return self("\(name).pem")
    }
}

extension String {
    /// For messages that repeat what somebody else said: control characters escaped, and cut at a bound, so that a server
    /// can neither forge a log line nor flood the log.
    public func printable(limit: Int = 300) -> String {
        var text = ""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: text += scalar.escaped(asASCII: true)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return unicodeScalars.count > limit ? text + "…" : text
    }
}

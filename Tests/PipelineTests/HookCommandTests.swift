import Testing

@testable import Pipeline

@Suite struct `A hook's command` {
    @Test func `is a program and its arguments, or a line for a shell where there is one`() {
        for hasShell in [true, false] {
            let list = HookCommand(#" ["/hooks/purge", "a b", "$x"]"#, hasShell: hasShell)
            #expect(list?.arguments == ["/hooks/purge", "a b", "$x"])
            for bad in ["", " ", "[]", #"[""]"#, "[1]", "[\"a\"", #"["a\u0000"]"#, #"["a"] x"#] {
                #expect(HookCommand(bad, hasShell: hasShell) == nil, "\(bad)")
            }
        }
        #expect(HookCommand("a | b", hasShell: true)?.arguments == ["/bin/sh", "-c", "a | b"])
        #expect(
            HookCommand(" /hooks/purge  --all x/y.z ", hasShell: false)?.arguments == [
                "/hooks/purge", "--all", "x/y.z",
            ])
        // What a shell would make something of must not be taken for words.
        for line in [
            "a | b", "a && b", "a; b", "a > b", "a $B", "a `b`", "a 'b c'", "a \"b\"", "a *", "a ~", "A=b c", "a\\ b",
            "a\nb", "a # b", "{ a; }", "! a", "a %b",
        ] { #expect(HookCommand(line, hasShell: false) == nil, "\(line)") }
    }
}

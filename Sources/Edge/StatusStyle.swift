extension StatusPage {
    /// Contrasts are those of WCAG 2.2 AA and better, in both schemes.
    static let style = """
        :root{--back:#f6f7f9;--card:#fff;--line:#d5dae1;--text:#1a1f26;--muted:#545d69;--good:#11692b;--bad:#a8201a;\
        --held:#7a4d00;--quiet:#8893a1;--link:#0b57a4}
        @media(prefers-color-scheme:dark){:root{--back:#0f1318;--card:#171c23;--line:#2e3641;--text:#e7ebf0;--muted:#a1acb9;\
        --good:#5fd080;--bad:#ff8f86;--held:#e8b84d;--quiet:#6c7785;--link:#86bdff}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        main{max-width:60rem;margin:0 auto;padding:1.25rem}
        header{display:flex;align-items:center;justify-content:space-between;gap:1rem;flex-wrap:wrap;margin-bottom:1rem}
        h1{font-size:1.25rem;margin:0;letter-spacing:.01em}
        h2{font-size:1rem;margin:0 0 .75rem}
        h2 em{font-style:normal;text-decoration:underline;text-underline-offset:.2em}
        .badge{margin:0;padding:.2rem .8rem;border-radius:1rem;border:1.5px solid;font-weight:600;font-size:.9rem}
        section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.1rem;margin-bottom:1rem}
        section p{margin:.3rem 0;overflow-wrap:anywhere}
        .alert{border-left:.35rem solid}
        .alert.bad{border-left-color:var(--bad)}
        .alert.held{border-left-color:var(--held)}
        .cause{font-weight:600}
        .good,.published{color:var(--good);fill:var(--good)}
        .badge.bad,.failed{color:var(--bad);fill:var(--bad)}
        .badge.held{color:var(--held)}
        .badge.fresh,.muted{color:var(--muted)}
        svg .unchanged,.legend .unchanged{color:var(--quiet);fill:var(--quiet)}
        dl{margin:0}
        dl div{display:grid;grid-template-columns:8rem 1fr;gap:.5rem;padding:.3rem 0}
        dt{color:var(--muted)}
        dd{margin:0;overflow-wrap:anywhere}
        code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
        dd ul{margin:0;padding:0;list-style:none}
        .chart{display:grid;grid-template-columns:3.6rem 1fr;font-size:.78rem;color:var(--muted)}
        svg{display:block;width:100%;height:8rem}
        .axis{stroke:var(--line);vector-effect:non-scaling-stroke}
        .scale{position:relative}
        .scale span{position:absolute;right:.5rem;transform:translateY(50%);white-space:nowrap}
        .times{grid-column:2;display:flex;justify-content:space-between;padding-top:.3rem;white-space:nowrap}
        .times .gap{flex:none}
        .times .gap+span{flex:1}
        .legend{font-size:.85rem}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:.92rem}
        th,td{text-align:left;padding:.35rem .8rem .35rem 0;vertical-align:top;border-top:1px solid var(--line)}
        thead th{border-top:0;color:var(--muted);font-weight:500}
        td:first-child,td:nth-child(2),.number{white-space:nowrap}
        .number{text-align:right;font-variant-numeric:tabular-nums}
        td:last-child{min-width:12rem;overflow-wrap:anywhere}
        footer{max-width:60rem;margin:0 auto;padding:0 1.25rem 2rem;color:var(--muted);font-size:.85rem}
        a{color:var(--link)}
        footer a{margin-left:.4rem}
        @media(max-width:30rem){main{padding:.9rem}dl div{grid-template-columns:1fr;gap:0}thead{display:none}table,tbody{display:block}\
        tr{display:grid;grid-template-columns:1fr 1fr auto;border-top:1px solid var(--line);padding:.35rem 0}\
        td{border:0;padding:0}td:last-child{grid-column:1/-1;min-width:0}}
        """
}

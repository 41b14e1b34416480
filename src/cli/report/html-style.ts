/** The look of the HTML page of a report, for light and dark screens and for paper. Versions differ by dashes too. */
export const REPORT_STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #59626e; --surface: #ffffff; --panel: #f5f6f8; --grid: #dfe3e8;
  --v0: #2f6fbd; --v1: #b4501e; --v2: #4f7f36; --v3: #7a5aa6; --good: #2c7a3f; --bad: #b3261e; --unsure: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --muted: #a5adb8; --surface: #15181c; --panel: #1e2227; --grid: #343a42;
  --v0: #7db2f0; --v1: #f0a175; --v2: #9ccc7f; --v3: #c3a8ea; --good: #7fcf92; --bad: #f2938c; --unsure: #e3b765; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 20px 48px; max-width: 800px; background: var(--surface); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 4px; } h2 { font-size: 1.1rem; margin: 36px 0 10px; }
p { margin: 6px 0; } .muted { color: var(--muted); } .summary { font-size: 1.15rem; margin: 18px 0; padding: 12px 16px;
  background: var(--panel); border-left: 5px solid var(--muted); } .summary.good { border-color: var(--good); } .summary.bad { border-color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(135px, 1fr)); gap: 10px; margin: 0; padding: 0; list-style: none; }
.figures li { background: var(--panel); padding: 10px 12px; } .figures b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.figures small { display: block; color: var(--muted); line-height: 1.35; }
.Proved { color: var(--good); } .Sampled, .NotMeasurable { color: var(--unsure); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; vertical-align: top; }
th { color: var(--muted); font-weight: 600; } .words { text-align: left; white-space: normal; min-width: 8em; } .short { text-align: left; }
figure { margin: 14px 0; min-width: 0; overflow-x: auto; } figcaption { margin-bottom: 2px; } svg { display: block; width: 100%; height: auto; } svg.wide { min-width: 600px; }
svg.sample { display: inline-block; width: 30px; vertical-align: middle; margin: 0 4px 0 10px; } .name, .failure-name { color: var(--muted); }
.failure-name { margin-left: 10px; }
.checks { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 6px 20px; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .tick { fill: var(--muted); font-size: 11px; }
.grid { stroke: var(--grid); stroke-width: 1; } .axis { stroke: var(--muted); stroke-width: 1; }
.line { fill: none; stroke-width: 2; } .v0 { stroke: var(--v0); stroke-dasharray: 6 3; } .v1 { stroke: var(--v1); }
.v2 { stroke: var(--v2); stroke-dasharray: 2 3; } .v3 { stroke: var(--v3); stroke-dasharray: 9 3 2 3; }
.dot, .median { stroke-dasharray: none; } .dot.v0, .median.v0 { fill: var(--v0); } .dot.v1, .median.v1 { fill: var(--v1); } .dot.v2 { fill: var(--v2); } .dot.v3 { fill: var(--v3); }
.limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 1 3; } .decision { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 1 4; }
svg .failure { fill: var(--bad); font-size: 16px; font-weight: 700; } svg .state { font-size: 13px; }
svg .Passed { fill: var(--good); } svg .Failed, svg .Error { fill: var(--bad); } svg .Inconclusive, svg .NoData { fill: var(--unsure); }
ol { padding-left: 2.2em; } li { margin: 3px 0; } footer { margin-top: 40px; color: var(--muted); font-size: 0.85rem; }
@media print { body { max-width: none; } figure, tr, li { break-inside: avoid; } }
`;

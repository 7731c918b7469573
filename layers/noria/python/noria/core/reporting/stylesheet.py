"""The look of a report: one style sheet, inlined, light and dark."""

STYLE = """
:root { color-scheme:light dark; --ink:#1d2733; --soft:#5b6875; --line:#dde3e9; --paper:#fff;
  --back:#f4f6f8; --good:#2e7d50; --bad:#b3402a; --wait:#96600f; --cell:#e9edf1;
  --c0:#2a6f97; --c1:#d9731a; --c2:#3d8b5f; --c3:#8f4a8b; }
@media (prefers-color-scheme: dark) {
  :root { --ink:#e6ebf0; --soft:#a3afbb; --line:#36414d; --paper:#1c242c; --back:#131920;
    --good:#6fc795; --bad:#f0907b; --wait:#e6b566; --cell:#2a343f;
    --c0:#62a9d6; --c1:#ee9a4d; --c2:#6fc795; --c3:#c990c5; } }
* { box-sizing:border-box; }
body { margin:0; background:var(--back); color:var(--ink);
  font:16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width:1100px; margin:0 auto; padding:16px 14px 48px; }
h1 { font-size:1.4rem; line-height:1.28; margin:.2rem 0 .7rem; overflow-wrap:anywhere; }
h1.long { font-size:1.02rem; line-height:1.5; font-weight:500; }
h2 { font-size:1.2rem; margin:2.2rem 0 .7rem; overflow-wrap:anywhere; }
h3 { font-size:.98rem; margin:0 0 .4rem; overflow-wrap:anywhere; }
p { margin:.4rem 0; overflow-wrap:anywhere; }
.card { background:var(--paper); border:1px solid var(--line); border-radius:10px;
  padding:14px 16px; margin:0 0 14px; min-width:0; }
.hero { border-left:5px solid var(--soft); padding:16px; }
.hero.good { border-left-color:var(--good); } .hero.bad { border-left-color:var(--bad); }
.hero.wait { border-left-color:var(--wait); } .hero h3 { margin-top:1rem; }
.name, .soft { color:var(--soft); font-size:.88rem; }
.badge { display:inline-block; font-weight:600; border-radius:14px; padding:1px 10px;
  border:1px solid currentColor; font-size:.9rem; overflow-wrap:anywhere; max-width:100%; }
.badge.good { color:var(--good); } .badge.bad { color:var(--bad); }
.badge.wait { color:var(--wait); } .hero > .badge { font-size:1rem; padding:2px 12px; }
ul { margin:.4rem 0; padding-left:1.15rem; } li { margin:.25rem 0; overflow-wrap:anywhere; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(138px,1fr)); gap:10px;
  margin:12px 0 0; }
.tile { background:var(--back); border-radius:8px; padding:9px 12px; }
.tile b { display:block; font-size:1.25rem; line-height:1.3; overflow-wrap:anywhere; }
.tile span { color:var(--soft); font-size:.82rem; display:block; line-height:1.35; }
.tile.good b { color:var(--good); } .tile.bad b { color:var(--bad); }
.grid-of-charts { columns:3 300px; column-gap:14px; margin-bottom:14px; }
.grid-of-charts .card { break-inside:avoid; margin:0 0 14px; }
svg { width:100%; height:auto; display:block; max-width:460px; overflow:visible; }
svg text { fill:var(--ink); font-size:11px;
  paint-order:stroke; stroke:var(--paper); stroke-width:3px; stroke-linejoin:round; }
svg text.axis { fill:var(--soft); } svg text.value { font-weight:600; }
svg text.tiny { font-size:9.5px; fill:var(--soft); }
svg .grid { stroke:var(--line); stroke-width:1; }
svg .limit { stroke:var(--c1); stroke-width:1.6; stroke-dasharray:4 3; }
svg .line { fill:none; stroke-width:2; stroke-linejoin:round; }
svg .area { fill-opacity:.22; stroke-width:1.6; stroke-linejoin:round; }
svg .faint { fill:var(--soft); fill-opacity:.45; } svg .empty { fill:var(--cell); }
.c0 { fill:var(--c0); } .c1 { fill:var(--c1); } .c2 { fill:var(--c2); } .c3 { fill:var(--c3); }
.s0 { stroke:var(--c0); } .s1 { stroke:var(--c1); } .s2 { stroke:var(--c2); }
.s3 { stroke:var(--c3); }
.b0 { background:var(--c0); } .b1 { background:var(--c1); } .b2 { background:var(--c2); }
.b3 { background:var(--c3); }
.legend { display:flex; flex-wrap:wrap; gap:4px 14px; font-size:.82rem; color:var(--soft); }
.legend span { overflow-wrap:anywhere; }
.legend i { display:inline-block; width:10px; height:10px; border-radius:2px; margin-right:5px; }
.scroll { overflow-x:auto; }
table { border-collapse:collapse; width:100%; font-size:.88rem; }
th, td { text-align:left; padding:5px 12px 5px 0; border-bottom:1px solid var(--line);
  vertical-align:top; overflow-wrap:anywhere; min-width:4.8rem; }
th { color:var(--soft); font-weight:600; max-width:14rem; }
tr.head th { overflow-wrap:break-word; }
td.n, th.n { text-align:right; font-variant-numeric:tabular-nums; min-width:3.6rem; }
td.n { white-space:nowrap; } td:first-child { min-width:7rem; } td ul { margin:0; }
td td, td th { font-size:.95em; } td tr:last-child > * { border-bottom:0; }
tr.best td { font-weight:600; }
details { margin:.6rem 0; } td details { margin:0; }
summary { cursor:pointer; color:var(--soft); overflow-wrap:anywhere; }
pre { overflow-x:auto; background:var(--back); border-radius:8px; padding:10px; font-size:.78rem; }
ol.steps { list-style:none; padding:0; margin:0; }
ol.steps > li { border-left:3px solid var(--line); padding:2px 0 10px 14px; margin:0; }
@media print { body { background:#fff; } .card { break-inside:avoid; } }
"""

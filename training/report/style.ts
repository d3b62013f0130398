import { DARK_CHARTS, seriesRules } from "./colors.ts";

/** The style sheet of the pages: light and dark as the system is, on paper always light. */
export const STYLE = `
:root { --ink: #1f2937; --soft-ink: #4b5563; --paper: #ffffff; --raised: #f6f7f9; --line: #d8dce2; --accent: #1d4ed8;
  --right: #15803d; --wrong: #b91c1c; --hit: 37 99 235; --miss: 220 38 38; }
@media screen and (prefers-color-scheme: dark) {
:root { --ink: #e5e7eb; --soft-ink: #a5adba; --paper: #0f1318; --raised: #161b22; --line: #303845; --accent: #7db1ff;
  --right: #4ade80; --wrong: #f98080; --hit: 96 165 250; --miss: 248 113 113; }
${DARK_CHARTS}
}
${seriesRules(0)}
@media screen and (prefers-color-scheme: dark) {
${seriesRules(1)}
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.75rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: 1.25rem; }
h3 { margin: 1.75rem 0 .5rem; font-size: 1.05rem; }
a { color: var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1rem 0 0; }
.note, .sub, small { color: var(--soft-ink); }
.note { font-size: .9rem; max-width: 48rem; }
.warning { border-left: 4px solid var(--wrong); padding: .25rem .75rem; background: var(--raised); }
dl.numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
dl.numbers div { padding: .6rem .8rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); }
dl.numbers dt { color: var(--soft-ink); font-size: .85rem; }
dl.numbers dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dl.numbers dd small { display: block; font-size: .8rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem 1.5rem; align-items: start; }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; }
figure svg { display: block; width: 100%; height: auto; max-width: 34rem; }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--accent); }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { padding-bottom: .35rem; text-align: left; font-weight: 600; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
thead th { color: var(--soft-ink); font-weight: 600; vertical-align: bottom; }
td:not(.number) { min-width: 6.5rem; }
thead th { white-space: nowrap; }
tbody th { font-weight: 400; }
th:first-child { position: sticky; left: 0; min-width: 6.5rem; background: var(--paper); }
.number { text-align: right; white-space: nowrap; }
.index { display: inline-block; min-width: 1.3em; color: var(--soft-ink); font-size: .85em; }
table.matrix { font-size: .85rem; }
table.matrix .number { padding: .3rem .35rem; min-width: 2.2rem; }
table.matrix td.none { color: var(--soft-ink); }
td.hit { background: rgb(var(--hit) / calc(.08 + .4 * var(--share))); }
td.miss { background: rgb(var(--miss) / calc(.08 + .8 * var(--share))); }
.matrix-picture svg { max-width: 44rem; }
.matrix-picture text { fill: var(--soft-ink); }
.matrix-picture .frame { fill: none; stroke: var(--line); }
path.hit { fill: rgb(var(--hit)); }
path.miss { fill: rgb(var(--miss)); }
.meter { display: inline-block; width: 5rem; height: .55rem; border-radius: .2rem; background: var(--line); vertical-align: middle; }
.meter span { display: block; height: 100%; border-radius: .2rem; background: rgb(var(--hit)); }
ul.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(7.2rem, 29%), 1fr)); gap: .75rem; margin: .75rem 0; padding: 0; list-style: none; }
ul.pictures li { display: flex; flex-direction: column; min-width: 0; padding: .4rem; border: 2px solid; border-radius: .5rem; font-size: .85rem; line-height: 1.3; overflow-wrap: anywhere; break-inside: avoid; }
ul.pictures li.right { border-color: var(--right); }
ul.pictures li.wrong { border-color: var(--wrong); }
ul.pictures img { width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; background: var(--raised); }
ul.pictures img.pixelated { image-rendering: pixelated; }
.right .answer { color: var(--right); }
.wrong .answer { color: var(--wrong); }
.answer { margin-top: .3rem; font-weight: 600; }
.answer small { white-space: nowrap; font-weight: 400; }
.mark { display: inline-block; width: .8em; height: .8em; fill: none; stroke: currentColor; stroke-width: 2.2; }
.truth { color: var(--soft-ink); }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
.key { display: inline-block; width: 1.4rem; height: 0; border-top-width: 3px; border-top-style: solid; vertical-align: middle; }
@media print {
body { max-width: none; padding: 0; font-size: 10.5pt; }
nav, details { display: none; }
h2 { break-after: avoid; margin-top: 1.5rem; }
figure, tr, dl.numbers div { break-inside: avoid; }
.scroll { overflow: visible; }
table { font-size: 8.5pt; }
th, td, th:first-child, td:not(.number) { position: static; min-width: 0; padding: .15rem .35rem; white-space: normal; overflow-wrap: anywhere; }
td.number, .number { white-space: nowrap; }
thead th.number { white-space: normal; }
.figures { grid-template-columns: 1fr 1fr; }
}
`.trim();

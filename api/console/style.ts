/** The style of the console: light or dark as the reader has it, one column on a phone. Pages use its classes and have no style of their own. */
export const CONSOLE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#fbfbfa, #101413); --raised: light-dark(#fff, #171c1a); --sunk: light-dark(#f1f2f0, #1f2523);
  --ink: light-dark(#1a1f1d, #e7ebe9); --soft: light-dark(#5c6662, #9ba7a2); --line: light-dark(#e2e5e2, #2b3330);
  --accent: light-dark(#17694f, #63c9a4); --on-accent: light-dark(#fff, #0c1a15); --wash: light-dark(#e3f1eb, #1a2f27);
  --good: light-dark(#17694f, #63c9a4); --bad: light-dark(#b3261e, #ff9a8f); --bad-wash: light-dark(#fdeceb, #3a1c1a);
  --warn: light-dark(#855400, #f0bd6a); --warn-wash: light-dark(#fdf2dc, #362811); --busy: light-dark(#1f5fbf, #8db8ff); --busy-wash: light-dark(#e8f0fd, #182740);
  --radius: 10px; --gap: 1rem;
}
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; background: var(--ground); color: var(--ink); overflow-wrap: anywhere }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: 1px }
code, .id, pre { font: .88em/1.5 ui-monospace, "SF Mono", Menlo, monospace }
h1 { font-size: 1.45rem; line-height: 1.25; letter-spacing: -.015em; margin: 0 } h2 { font-size: 1.02rem; margin: 2rem 0 .6rem } h3 { font-size: 1rem; margin: 0 }
p { margin: .5rem 0 } .lead { font-size: 1.05rem; max-width: 44rem } .soft { color: var(--soft) } .fault { color: var(--bad) } .number { text-align: right; font-variant-numeric: tabular-nums }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px } main:focus { outline: none }
.skip { position: absolute; left: -100vw } .skip:focus { left: var(--gap); top: .5rem; background: var(--raised); padding: .5rem 1rem; z-index: 2 }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }

.top, .sections, main { max-width: 72rem; margin: 0 auto; padding: 0 1.5rem }
.top { display: flex; align-items: center; justify-content: space-between; gap: var(--gap); padding-top: .9rem; padding-bottom: .5rem }
.brand { display: flex; align-items: center; gap: .5rem; font-weight: 650; font-size: 1.05rem; color: inherit; text-decoration: none; letter-spacing: -.01em }
.mark { width: 1.4em; height: 1.4em; color: var(--accent) }
.account { display: flex; align-items: center; gap: 1.1rem; font-size: .88rem; min-width: 0 } .account a { color: var(--soft); text-decoration: none } .account a:hover { color: var(--ink) }
.who { color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis } .who b { color: var(--ink); font-weight: 550 }
.sections { display: flex; gap: .25rem; overflow-x: auto; padding-left: .75rem; scrollbar-width: none; box-shadow: 0 1px var(--line); max-width: none }
@media (min-width: 72rem) { .sections { padding-left: calc(50vw - 36rem + .75rem) } }
.sections a { padding: .5rem .75rem .65rem; color: var(--soft); text-decoration: none; white-space: nowrap; border-bottom: 2px solid transparent }
.sections a:hover { color: var(--ink) } .sections a[aria-current] { color: var(--ink); border-color: var(--accent); font-weight: 550 }
.sections a:focus-visible { outline-offset: -3px }
main { padding-top: 1.75rem; padding-bottom: 5rem }
.title { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .75rem; margin-bottom: 1.25rem } .title > * { min-width: 0 }

button, .button { font: inherit; font-weight: 550; font-size: .92rem; padding: .45rem .9rem; border-radius: 8px; border: 1px solid var(--line); background: var(--raised); color: var(--ink); cursor: pointer; text-decoration: none; display: inline-flex; align-items: center; gap: .4rem }
button:hover, .button:hover { border-color: var(--soft) } button.primary, .button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent) } button.primary:hover { filter: brightness(1.08) }
button.danger { color: var(--bad) } button.quiet { border: 0; background: none; padding: 0; font-weight: 400; font-size: inherit; color: var(--soft) } button.quiet:hover { color: var(--ink) } button[disabled] { opacity: .5; cursor: default }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center } .actions form { margin: 0 }
label, legend { font-weight: 550; font-size: .92rem; padding: 0 } label small, .help { font-weight: 400; color: var(--soft); font-size: .86rem }
input, select, textarea { font: inherit; width: 100%; padding: .45rem .65rem; border: 1px solid light-dark(#8b948f, #66726c); border-radius: 8px; background: var(--raised); color: inherit }
input[type=checkbox], input[type=radio] { width: auto; accent-color: var(--accent) } textarea { resize: vertical; min-height: 6rem; font: .88em/1.6 ui-monospace, monospace }
.field { display: grid; gap: .3rem; align-content: start } .fields { display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)) } fieldset { border: 0; margin: 0; padding: 0; min-width: 0 }
form.stack { display: grid; gap: var(--gap) }
.card { background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius); padding: 1.1rem 1.25rem }
.sign-in { max-width: 24rem; display: grid; gap: .6rem } .sign-in p { margin: 0; font-size: .88rem }
.empty { padding: 3rem 1rem; text-align: center; color: var(--soft); border: 1px dashed var(--line); border-radius: var(--radius) }
.notice { padding: .7rem 1rem; border-radius: var(--radius); background: var(--wash); margin: 0 0 var(--gap) } .notice.bad { background: var(--bad-wash); color: var(--bad) } .notice.warn { background: var(--warn-wash); color: var(--warn) }

.status { display: inline-flex; align-items: center; gap: .4em; font-size: .85rem; font-weight: 550; white-space: nowrap; padding: .1rem .55rem; border-radius: 99px; background: var(--sunk); color: var(--soft) }
.status::before { content: ""; width: .5em; height: .5em; border-radius: 50%; background: currentColor }
.status.good { background: var(--wash); color: var(--good) } .status.bad { background: var(--bad-wash); color: var(--bad) } .status.warn { background: var(--warn-wash); color: var(--warn) } .status.busy { background: var(--busy-wash); color: var(--busy) }
.status.busy::before { animation: pulse 1.4s ease-in-out infinite } @keyframes pulse { 50% { opacity: .25 } }

.table { overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius) } .table:focus-visible { border-radius: var(--radius) }
table { border-collapse: collapse; width: 100% } caption { text-align: left; padding: .7rem 1rem; color: var(--soft); font-size: .88rem } th, td { text-align: left; padding: .6rem 1rem; border-top: 1px solid var(--line); vertical-align: middle } thead th { font-size: .82rem; font-weight: 550; color: var(--soft); white-space: nowrap }
table > thead:first-child th, table > tbody:first-child > tr:first-child > * { border-top: 0 } tbody th { font-weight: 500 } td.number, th.number { text-align: right } tbody tr:hover { background: light-dark(#f7f8f6, #1b211f) }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .9rem 1.5rem; margin: 0 } .facts dt { color: var(--soft); font-size: .84rem } .facts dd { margin: 0; font-variant-numeric: tabular-nums }
.pager { display: flex; gap: .5rem; justify-content: flex-end; margin-top: var(--gap) }

progress, meter { appearance: none; border: 0; width: 100%; height: .5rem; border-radius: 99px; background: var(--sunk); overflow: hidden; display: block }
progress::-webkit-progress-bar { background: var(--sunk) } progress::-webkit-progress-value { background: var(--accent); border-radius: 99px } progress::-moz-progress-bar { background: var(--accent) }
meter::-webkit-meter-inner-element { display: block; height: 100% } meter::-webkit-meter-bar { background: var(--sunk); border: 0; border-radius: 99px; height: 100% } meter::-webkit-meter-optimum-value { background: var(--accent); border-radius: 99px } meter::-moz-meter-bar { background: var(--accent) }

.stack { display: grid; gap: var(--gap) } .under { margin: -1rem 0 1.25rem; color: var(--soft) } .card > header, .result header { display: flex; align-items: center; justify-content: space-between; gap: .75rem; min-width: 0 } .card h2 { margin: 0 } .card > header { margin-bottom: .75rem }
.thumb { display: block; flex: none; width: 2.5rem; aspect-ratio: 1; border-radius: 6px; overflow: hidden; position: relative; background: var(--sunk) } .thumb::before { content: ""; position: absolute; inset: 32%; border: 2px solid var(--soft); border-radius: 3px; opacity: .35 }
.thumb img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; background: var(--sunk) } .with-thumb { display: flex; align-items: center; gap: .75rem; color: inherit; text-decoration: none } a.with-thumb:hover span { text-decoration: underline }
.drop { position: relative; display: grid; place-content: center; justify-items: center; gap: .2rem; min-height: 9.5rem; padding: 1rem; text-align: center; border: 1.5px dashed light-dark(#a9b3ae, #505b56); border-radius: var(--radius); transition: background .15s, border-color .15s } .drop label { font-size: 1.05rem } .drop p { margin: 0 }
.drop input { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; cursor: pointer } .drop:hover, .drop:focus-within, .dropping .drop { border-color: var(--accent); background: var(--wash) } .drop:focus-within { outline: 2px solid var(--accent); outline-offset: 2px }
.sending .primary { opacity: .6 } .sending .drop { border-style: solid } .classify textarea { min-height: 3.6rem } summary { cursor: pointer; color: var(--soft); font-size: .92rem; width: fit-content } details[open] summary { margin-bottom: .75rem }
#cards { display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)) } .result { display: flex; gap: 1rem; padding: .9rem } .result .thumb { width: 6.5rem } .result > div { flex: 1; min-width: 0 } .result h3 { font-size: .95rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap } .result h3 a { color: inherit; text-decoration: none } .result h3 a:hover { text-decoration: underline } .result p { font-size: .9rem }
.scores { list-style: none; margin: .5rem 0 0; padding: 0; display: grid; gap: .45rem; font-size: .9rem } .scores li { display: grid; grid-template-columns: 1fr auto; gap: .1rem .75rem } .scores meter { grid-column: 1 / -1; height: .35rem } .scores li:not(:first-child) { color: var(--soft) } .scores .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.detail { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 22rem) minmax(0, 1fr); align-items: start } .detail > div:last-child { display: grid; gap: var(--gap) } .picture .thumb { width: 100%; border-radius: var(--radius); border: 1px solid var(--line) } .picture .thumb img { object-fit: contain } .detail .scores { font-size: .95rem } .detail .scores meter { height: .5rem }
.timings { display: block; width: 100%; height: .6rem; border-radius: 99px } .stages { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.25rem; margin: .75rem 0 0; padding: 0; font-size: .88rem; color: var(--soft) } .stages li::before { content: ""; display: inline-block; width: .6em; height: .6em; border-radius: 2px; margin-right: .45em; background: var(--stage) } .stages .number { color: var(--ink) } rect { fill: var(--stage) }
.stage-0 { --stage: light-dark(#c4ccc8, #4a5550) } .stage-1 { --stage: light-dark(#7fb3d8, #5a8fb5) } .stage-2 { --stage: light-dark(#b39ddb, #8f7cc0) } .stage-3 { --stage: light-dark(#e3c16f, #b8954a) } .stage-4 { --stage: var(--accent) }
.choices { display: flex; flex-wrap: wrap; gap: .4rem 1.25rem } .choices legend { margin-bottom: .35rem } .choices label, .check { font-weight: 400; display: flex; align-items: center; gap: .45rem }
.new-batch { max-width: 46rem } .new-batch:has([value=prefix]:checked) :is(.of-urls, .of-manifest), .new-batch:has([value=manifest]:checked) :is(.of-urls, .of-prefix), .new-batch:has([value=urls]:checked) :is(.of-prefix, .of-manifest) { display: none }
.counts { margin-top: 1rem } .counts dd { font-size: 1.25rem; font-weight: 550 } td.wide { min-width: 9rem }
@media (max-width: 40rem) {
  .top, main { padding-left: 1rem; padding-right: 1rem } .sections { padding-left: .25rem } .account { gap: .9rem } .account > a, .who b + * { display: none } .who { max-width: 9rem } main { padding-top: 1.25rem }
  .detail { grid-template-columns: minmax(0, 1fr) } #cards { grid-template-columns: minmax(0, 1fr) } .result .thumb { width: 5rem } .facts { grid-template-columns: 1fr 1fr }
  table.stack thead { display: none } table.stack tr { display: grid; padding: .7rem 0; border-top: 1px solid var(--line) } table.stack tbody tr:first-child { border-top: 0 } table.stack th, table.stack td { border: 0; padding: .15rem 1rem; text-align: left }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important } }
`;

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
@media (max-width: 40rem) {
  .top, main { padding-left: 1rem; padding-right: 1rem } .sections { padding-left: .25rem } .account { gap: .9rem } .account > a, .who b + * { display: none } .who { max-width: 9rem } main { padding-top: 1.25rem }
  table.stack thead { display: none } table.stack tr { display: grid; padding: .7rem 0; border-top: 1px solid var(--line) } table.stack tbody tr:first-child { border-top: 0 } table.stack th, table.stack td { border: 0; padding: .15rem 1rem; text-align: left }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important } }
`;

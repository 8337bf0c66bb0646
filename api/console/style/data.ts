/** What things are and how far: states, tables, facts, bars. */
export const DATA_STYLE = `
.status {
  display: inline-flex; align-items: center; gap: .4em; padding: .1rem .55rem; border-radius: 99px;
  font-size: .85rem; font-weight: 550; white-space: nowrap; background: var(--sunk); color: var(--soft);
}
.status::before { content: ""; width: .5em; height: .5em; border-radius: 50%; background: currentColor }
.status.good { background: var(--wash); color: var(--accent) }
.status.bad { background: var(--bad-wash); color: var(--bad) }
.status.warn { background: var(--warn-wash); color: var(--warn) }
.status.busy { background: var(--busy-wash); color: var(--busy) }
.status.busy::before { animation: pulse 1.4s ease-in-out infinite }
@keyframes pulse { 50% { opacity: .25 } }

.table { overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius) }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; padding: .7rem 1rem; color: var(--soft); font-size: .88rem }
th, td { text-align: left; padding: .6rem 1rem; border-top: 1px solid var(--line); vertical-align: middle }
thead th { font-size: .82rem; font-weight: 550; color: var(--soft); white-space: nowrap }
thead th, thead:not(:has(th)) + tbody tr:first-child > * { border-top: 0 }
caption:not(.hidden) + thead th { border-top: 1px solid var(--line) }
tbody th { font-weight: 500 }
td.number, th.number { text-align: right }
td.wide { min-width: 9rem }
tbody tr:hover { background: light-dark(#f7f8f6, #1b211f) }

dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .9rem 1.5rem; margin: 0 }
.facts dt { color: var(--soft); font-size: .84rem }
.facts dd { margin: 0; font-variant-numeric: tabular-nums }
.counts { margin-top: 1rem }
.counts dd { font-size: 1.25rem; font-weight: 550 }
.pager { display: flex; gap: .5rem; justify-content: flex-end; margin-top: var(--gap) }

progress, meter { appearance: none; display: block; width: 100%; height: .5rem; border: 0; border-radius: 99px; background: var(--sunk); overflow: hidden }
progress::-webkit-progress-bar { background: var(--sunk) }
progress::-webkit-progress-value { background: var(--accent); border-radius: 99px }
progress::-moz-progress-bar { background: var(--accent) }
/* Chromium gives the bar the upper half of this; the rest is cut off. */
meter::-webkit-meter-inner-element { display: block; height: 200% }
meter::-webkit-meter-bar { display: block; height: 100%; background: var(--sunk); border: 0; border-radius: 0 }
meter::-webkit-meter-optimum-value { height: 100%; background: var(--accent) }
meter::-moz-meter-bar { background: var(--accent) }

@media (max-width: 40rem) {
  /* Each row of these becomes a box of its own, whose cells name themselves where they would not be understood. */
  table.stack thead { display: none }
  table.stack tr { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .9rem; padding: .85rem 1rem; border-top: 1px solid var(--line) }
  table.stack tbody tr:first-child { border-top: 0 }
  table.stack th, table.stack td { border: 0; padding: 0; text-align: left }
  table.stack th, table.stack td.wide { flex: 1 0 100% }
  table.stack td[data-label]::before { content: attr(data-label) " "; color: var(--soft) }
  dl.facts { grid-template-columns: 1fr 1fr; gap: .9rem 1rem }
}
`;

/** Colours, text, and what is on every page: the line at the top, the navigation, the title. */
export const FRAME_STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#fbfbfa, #101413);
  --raised: light-dark(#fff, #171c1a);
  --sunk: light-dark(#f0f2f0, #222926);
  --ink: light-dark(#1a1f1d, #e7ebe9);
  --soft: light-dark(#5a6460, #9ba7a2);
  --line: light-dark(#e2e5e2, #2b3330);
  --edge: light-dark(#8b948f, #66726c);
  --accent: light-dark(#17694f, #63c9a4);
  --on-accent: light-dark(#fff, #0c1a15);
  --wash: light-dark(#e3f1eb, #1a2f27);
  --bad: light-dark(#b3261e, #ff9a8f);
  --bad-wash: light-dark(#fdeceb, #3a1c1a);
  --warn: light-dark(#855400, #f0bd6a);
  --warn-wash: light-dark(#fdf2dc, #362811);
  --busy: light-dark(#1f5fbf, #8db8ff);
  --busy-wash: light-dark(#e8f0fd, #182740);
  --radius: 10px;
  --gap: 1rem;
}
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; background: var(--ground); color: var(--ink); overflow-wrap: anywhere }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: 1px }
code, pre { font: .88em/1.5 ui-monospace, "SF Mono", Menlo, monospace }
h1 { font-size: 1.45rem; line-height: 1.25; letter-spacing: -.015em; margin: 0 }
h2 { font-size: 1.02rem; margin: 2rem 0 .6rem }
h3 { font-size: 1rem; margin: 0 }
p { margin: .5rem 0 }
.lead { font-size: 1.05rem; max-width: 44rem }
.soft { color: var(--soft) }
.fault { color: var(--bad) }
.number { text-align: right; font-variant-numeric: tabular-nums }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px }
main:focus { outline: none }
.skip { position: absolute; left: -100vw }
.skip:focus { left: var(--gap); top: .5rem; background: var(--raised); padding: .5rem 1rem; z-index: 2 }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }

.top, main { max-width: 72rem; margin: 0 auto; padding: 0 1.5rem }
.top { display: flex; align-items: center; justify-content: space-between; gap: var(--gap); padding-top: .9rem; padding-bottom: .5rem }
.brand { flex: none; display: flex; align-items: center; gap: .5rem; font-weight: 650; font-size: 1.05rem; color: inherit; text-decoration: none }
.mark { width: 1.4em; height: 1.4em; color: var(--accent) }
.account { display: flex; align-items: center; gap: 1.1rem; font-size: .88rem; min-width: 0 }
.account a { color: var(--soft); text-decoration: none }
.account a:hover { color: var(--ink) }
.who { color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.who b { color: var(--ink); font-weight: 550 }
.sections { display: flex; gap: .25rem; overflow-x: auto; padding: 0 .75rem; scrollbar-width: none; box-shadow: inset 0 -1px var(--line) }
.sections a { padding: .5rem .75rem .65rem; color: var(--soft); text-decoration: none; white-space: nowrap; border-bottom: 2px solid transparent }
.sections a:hover { color: var(--ink) }
.sections a[aria-current] { color: var(--ink); border-color: var(--accent) }
.sections a:focus-visible { outline-offset: -3px }
main { padding-top: 1.75rem; padding-bottom: 5rem }
.title { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .75rem; margin-bottom: 1.25rem }
.title > * { min-width: 0 }
.under { margin: -1rem 0 1.25rem; color: var(--soft) }

@media (min-width: 72rem) {
  .sections { padding-left: calc(50vw - 36rem + .75rem) }
}
@media (max-width: 40rem) {
  .top, main { padding-left: 1rem; padding-right: 1rem }
  main { padding-top: 1.25rem }
  .sections { padding: 0 .25rem }
  .account { gap: .8rem; white-space: nowrap }
  .who span { display: none }
}
@media (scripting: enabled) {
  .unscripted { display: none }
}
@media (prefers-reduced-motion: reduce) {
  * { animation: none !important; transition: none !important }
}
`;

/** The style of the reference: light or dark as the reader has it, and one column on a phone. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dde3, #3a4048); --soft: light-dark(#5b6570, #9aa5b1); --link: light-dark(#0b5cad, #7cb8f5) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; overflow-wrap: anywhere }
code { font: 0.9em ui-monospace, monospace }
a { color: var(--link) }
span { color: var(--soft) }
nav { display: grid; gap: 0.35rem; padding: 1rem; border: 1px solid var(--line); border-radius: 8px }
nav a { text-decoration: none; display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem }
nav code { flex: 0 0 20rem }
h2 { margin-top: 2.5rem } section h2 { margin-top: 1.25rem }
section { border-top: 1px solid var(--line); margin-top: 2rem }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line); font-weight: normal }
th { width: 26% } td:nth-child(2) { width: 28% }
pre { padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 8px; white-space: pre-wrap }
dl div { display: flex; gap: 1rem; padding: 0.15rem 0 }
dt { font-weight: 600; flex: none } dd { margin: 0 }
:target, :target > h2, :target > h3 { background: light-dark(#fff3bf, #4a3f10) } section:target { background: none }
b.post { color: light-dark(#1d7a3c, #6fd08c) }
@media (max-width: 40rem) { nav code { flex-basis: 100% } tr { display: block; padding: 0.35rem 0; border-bottom: 1px solid var(--line) } th, td, td:nth-child(2) { display: block; width: auto; padding: 0; border: 0 } }
`;

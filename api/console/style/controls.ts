/** Buttons, fields and forms, and the boxes that they and other things stand in. */
export const CONTROLS_STYLE = `
.card { background: var(--raised); border: 1px solid var(--line); border-radius: var(--radius); padding: 1.1rem 1.25rem }
.card > header { display: flex; align-items: center; justify-content: space-between; gap: .75rem; margin-bottom: .75rem }
.card h2 { margin: 0 }
.empty { padding: 3rem 1rem; text-align: center; color: var(--soft); border: 1px dashed var(--line); border-radius: var(--radius) }
.notice { padding: .7rem 1rem; border-radius: var(--radius); background: var(--wash); margin: 0 0 var(--gap) }
.notice.bad { background: var(--bad-wash); color: var(--bad) }
.notice.warn { background: var(--warn-wash); color: var(--warn) }

button, .button {
  display: inline-flex; align-items: center; justify-content: center; gap: .4rem; padding: .45rem .9rem;
  font: inherit; font-weight: 550; font-size: .92rem; text-decoration: none; cursor: pointer;
  color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 8px;
}
button:hover, .button:hover { border-color: var(--soft) }
button.primary, .button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent) }
button.primary:hover, .button.primary:hover { filter: brightness(1.08) }
button.danger { color: var(--bad) }
button.quiet { border: 0; background: none; padding: 0; font-weight: 400; font-size: inherit; color: var(--soft) }
button.quiet:hover { color: var(--ink) }
button[disabled] { opacity: .5; cursor: default }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center }
.actions form { margin: 0 }
.actions select { width: auto }

label, legend { font-weight: 550; font-size: .92rem; padding: 0 }
label small, .help { font-weight: 400; color: var(--soft); font-size: .86rem }
input, select, textarea {
  font: inherit; width: 100%; padding: .45rem .65rem; color: inherit;
  background: var(--raised); border: 1px solid var(--edge); border-radius: 8px;
}
::placeholder { color: var(--soft); opacity: .8 }
input[type=checkbox], input[type=radio] { width: auto; margin: 0; accent-color: var(--accent) }
textarea { resize: vertical; min-height: 6rem; font: .88em/1.6 ui-monospace, monospace }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0 }
div.stack, form.stack { display: grid; gap: var(--gap) }
.field { display: grid; gap: .3rem; align-content: start }
.fields { display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)) }
.choices { display: flex; flex-wrap: wrap; gap: .4rem 1.25rem }
.choices legend { margin-bottom: .35rem }
.choices label, .choice, .check { font-weight: 400; display: flex; align-items: center; gap: .45rem }
summary { cursor: pointer; color: var(--soft); font-size: .92rem; width: fit-content }
details[open] > summary { margin-bottom: .75rem }

main:has(.sign-in) { max-width: 25rem; padding-top: 12vh }
.sign-in { display: grid; gap: .6rem }
.sign-in p { margin: 0; font-size: .88rem }
.new-batch { max-width: 46rem }
.new-batch:has([value=urls]:checked) :is(.of-prefix, .of-manifest),
.new-batch:has([value=prefix]:checked) :is(.of-urls, .of-manifest),
.new-batch:has([value=manifest]:checked) :is(.of-urls, .of-prefix) { display: none }

@media (max-width: 40rem) {
  /* A phone zooms into a field with smaller letters. */
  input, select, textarea { font-size: 16px }
}
`;

/** What only the pages of labelers, webhooks, models, queues and workers have. */
export const OPERATIONS_STYLE = `
td.number, td time, td button, td .button { white-space: nowrap }
td pre { margin: .5rem 0; white-space: pre-wrap; max-height: 20rem; overflow-y: auto }
pre.card { white-space: pre-wrap; margin: 0 }
.facts div:has(> dd > code) { grid-column: span 2 }
.choices.column { display: grid; justify-content: start; align-content: start }
.run-form { margin-bottom: var(--gap) }
.run-form .actions { align-self: end }
.chores > * { align-content: space-between }
.button.danger { color: var(--bad) }
.secret { padding: .6rem .8rem; background: var(--sunk); border-radius: 8px; user-select: all }
.stack > .notice { margin: 0 }
ol.labels { columns: 13rem; padding-left: 3.5rem; margin: 0 }
.labels ::marker { color: var(--soft) }

@media (min-width: 40.01rem) {
  table.queues { table-layout: fixed }
}
`;

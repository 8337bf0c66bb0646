/** Images and what is seen in them: where they are dropped, their cards, scores and times. */
export const PICTURES_STYLE = `
.thumb { display: block; position: relative; flex: none; width: 2.5rem; aspect-ratio: 1; border-radius: 6px; overflow: hidden; background: var(--sunk) }
/* What is seen where there is no image: an empty frame, also over the sign of an image that did not come. */
.thumb::before, .thumb img::before { content: ""; position: absolute; inset: 0; background: var(--sunk) }
.thumb::after, .thumb img::after { content: ""; position: absolute; inset: 34%; border: 2px solid var(--soft); border-radius: 3px; opacity: .35 }
.thumb img { position: absolute; inset: 0; z-index: 1; width: 100%; height: 100%; object-fit: cover }
.with-thumb { display: flex; align-items: center; gap: .75rem; color: inherit; text-decoration: none }
a.with-thumb:hover span { text-decoration: underline }

.drop {
  position: relative; display: grid; place-content: center; justify-items: center; gap: .2rem; min-height: 9.5rem; padding: 1rem;
  text-align: center; border: 1.5px dashed var(--edge); border-radius: var(--radius); transition: background .15s, border-color .15s;
}
.drop label { font-size: 1.05rem }
.drop p { margin: 0 }
.drop input { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0; cursor: pointer }
.drop:hover, .drop:focus-within, .dropping .drop { border-color: var(--accent); background: var(--wash) }
.drop:focus-within { outline: 2px solid var(--accent); outline-offset: 2px }
.classify textarea { min-height: 3.6rem }
.sending .primary { opacity: .6 }

#cards { display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)) }
.result { display: flex; align-items: flex-start; gap: 1rem; padding: .9rem }
.result .thumb { width: 6.5rem }
.result > div { flex: 1; min-width: 0 }
.result h3 { font-size: .95rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; margin-bottom: .3rem }
.result h3 a { color: inherit; text-decoration: none }
.result h3 a:hover { text-decoration: underline }
.result p { font-size: .9rem }

.scores { list-style: none; margin: .6rem 0 0; padding: 0; display: grid; gap: .45rem; font-size: .9rem }
.scores li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .15rem .75rem }
.scores li:not(:first-child) { color: var(--soft) }
.scores .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.scores meter { grid-column: 1 / -1; height: .35rem }

.detail { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 22rem) minmax(0, 1fr); align-items: start }
.detail > div:last-child { display: grid; gap: var(--gap) }
.detail .picture .thumb { width: 100%; border-radius: var(--radius); border: 1px solid var(--line) }
.detail .picture img { object-fit: contain }
.detail .scores { font-size: .95rem }

.timings { display: block; width: 100%; height: .6rem; border-radius: 99px }
.timings rect { fill: var(--stage) }
.stages { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.25rem; margin: .75rem 0 0; padding: 0; font-size: .88rem; color: var(--soft) }
.stages li::before { content: ""; display: inline-block; width: .6em; height: .6em; border-radius: 2px; margin-right: .45em; background: var(--stage) }
.stages .number { color: var(--ink) }
.stage-0 { --stage: light-dark(#c4ccc8, #4a5550) }
.stage-1 { --stage: light-dark(#7fb3d8, #5a8fb5) }
.stage-2 { --stage: light-dark(#b39ddb, #8f7cc0) }
.stage-3 { --stage: light-dark(#e3c16f, #b8954a) }
.stage-4 { --stage: var(--accent) }

@media (max-width: 40rem) {
  .detail { grid-template-columns: minmax(0, 1fr) }
  .result .thumb { width: 5rem }
}
`;

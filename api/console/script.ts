/**
 * The script of the console, which makes pages live and is not needed for any of them. An element with `data-live` names
 * a stream; those below it with `data-moving` are replaced, by their ids, by what the stream tells.
 */
export const CONSOLE_SCRIPT = String.raw`
const watch = (list) => {
  list.stream?.close();
  const moving = [...list.querySelectorAll("[data-moving]")].map(({ id }) => id);
  if (moving.length === 0) return;
  list.stream = new EventSource(list.dataset.live + "?" + new URLSearchParams({ ids: moving }));
  list.stream.onmessage = ({ data }) => {
    for (const [id, html] of Object.entries(JSON.parse(data))) {
      const old = document.getElementById(id);
      if (old && old.outerHTML !== html) old.outerHTML = html;
    }
  };
};
for (const list of document.querySelectorAll("[data-live]")) watch(list);
`;

/**
 * The script of the console, which makes pages live and is not needed for any of them. An element with `data-live` names
 * a stream; those below it with `data-moving` are replaced, by their ids, by what the stream tells, and whoever has the focus
 * in them keeps it. A form with `data-send` sends its images one by one, as they are dropped, chosen or pasted, and puts what
 * comes back into the element of that id. On a narrow screen the navigation is moved to where the page stands in it.
 */
export const CONSOLE_SCRIPT = String.raw`
for (const place of document.querySelectorAll(".sections [aria-current]"))
  place.parentElement.scrollLeft = place.offsetLeft - innerWidth / 3;

const watch = (list) => {
  list.stream?.close();
  const moving = [...list.querySelectorAll("[data-moving]")].map(({ id }) => id);
  if (moving.length === 0) return;
  const told = {};
  list.stream = new EventSource(list.dataset.live + "?ids=" + moving);
  list.stream.onmessage = ({ data }) => {
    for (const [id, html] of Object.entries(JSON.parse(data))) {
      const old = document.getElementById(id);
      if (old && told[id] !== html) {
        const held = [...old.querySelectorAll("a, button, summary")].indexOf(document.activeElement);
        old.outerHTML = html;
        document.getElementById(id)?.querySelectorAll("a, button, summary")[held]?.focus();
      }
      told[id] = html;
    }
    if (!list.querySelector("[data-moving]")) list.stream.close();
  };
};
for (const list of document.querySelectorAll("[data-live]")) watch(list);

for (const form of document.querySelectorAll("form[data-send]")) {
  const cards = document.getElementById(form.dataset.send);
  const fault = form.querySelector("[data-fault]");
  const { images, urls } = form.elements;
  let shown = [];

  const post = async (name, value) => {
    const body = new FormData(form);
    body.delete("images");
    body.delete("urls");
    body.append(name, value);
    const answer = await fetch(form.action, { method: "POST", body, headers: { "x-part": "cards" } });
    if (answer.redirected) return location.reload();
    if (!answer.ok) throw new Error(await answer.text());
    cards.insertAdjacentHTML("afterbegin", await answer.text());
    shown = [cards.firstElementChild.id, ...shown].filter(Boolean).slice(0, 50);
    history.replaceState(null, "", "?ids=" + shown);
    watch(cards);
  };

  const send = async (files, text) => {
    if (shown.length === 0) cards.replaceChildren();
    document.getElementById("cards-title").textContent = "Just sent";
    fault.textContent = "";
    form.classList.add("sending");
    for (const file of files) await post("images", file).catch((error) => (fault.textContent = file.name + ": " + error.message));
    for (const url of text.split(/\s+/).filter(Boolean)) await post("urls", url).catch((error) => (fault.textContent = url + ": " + error.message));
    form.classList.remove("sending");
  };

  images.addEventListener("change", () => {
    const files = [...images.files];
    images.value = "";
    send(files, "");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!urls.value.trim()) return images.showPicker();
    send([], urls.value);
    urls.value = "";
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    send([...event.dataTransfer.files], event.dataTransfer.files.length > 0 ? "" : event.dataTransfer.getData("text/uri-list"));
  });
  document.addEventListener("paste", ({ clipboardData: { files } }) => {
    if (files.length > 0) send([...files], "");
  });
  for (const name of ["dragenter", "dragover", "dragleave", "drop"])
    form.addEventListener(name, () => form.classList.toggle("dropping", name === "dragenter" || name === "dragover"));
}
`;

import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer } from "../../support/http-server.ts";
import type { TestServer } from "../../support/http-server.ts";
import { readFigure } from "../support/figures.ts";
import { makeKey } from "../support/make-key.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

const CHART = "bar_chart_06.png";

let api: TestApi;
let images: TestServer;
let visitor: Visitor;
beforeAll(async () => {
  images = await startTestServer(({ path }) =>
    path === `/${CHART}` ? { status: 200, body: readFigure(CHART) } : { status: 404 },
  );
  api = await startTestApi();
  await api.startWorker();
  visitor = await visit(api);
});
afterAll(async () => {
  await api.close();
  await images.stop();
});

const chart = (name = CHART) => new File([readFigure(CHART)], name, { type: "image/png" });

/** The cards of a page, as their pieces of HTML. */
const cardsOf = (text: string) => text.match(/<article [^]*?<\/article>/g) ?? [];

/** Asks for a page until nothing on it moves. */
async function untilStill(path: string): Promise<string> {
  let text = "";
  await expect
    .poll(async () => ((text = (await visitor.get(path)).text).includes("data-moving") ? "moves" : "still"), {
      timeout: 20_000,
    })
    .toBe("still");
  return text;
}

test("files and addresses become cards with what came of each: labels with bars, or the reason", async () => {
  const sent = await visitor.post("/console", {
    images: [chart("my chart.png"), new File(["no picture"], "text.png", { type: "image/png" })],
    urls: `${images.url}/${CHART}\n  ${images.url}/none.png  `,
    top_k: "2",
  });
  expect([sent.status, sent.location]).toEqual([
    303,
    expect.stringMatching(/^\/console\?ids=cls_\w+(,cls_\w+){3}$/),
  ]);
  const cards = cardsOf(await untilStill(sent.location ?? ""));
  expect(cards).toHaveLength(4);
  const [file = "", text = "", address = "", none = ""] = cards;
  expect(file).toContain(">my chart.png</a>");
  expect(file).toMatch(/<img src="\/console\/images\/cls_\w+" alt=""/);
  expect(file).toMatch(
    /<span class="number">\d\d\.\d %<\/span>\s*<meter min="0" max="1" value="0\.\d+" aria-label="bar_chart">/,
  );
  expect(file.match(/<meter/g)).toHaveLength(2);
  expect(text).toContain('<span class="status bad">failed</span>');
  expect(text).toMatch(/<p class="fault">[A-Z][^<]+\.<\/p>/);
  expect(address).toContain(
    `<img src="${images.url}/${CHART}" alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer"`,
  );
  expect(address).toContain("bar_chart");
  expect(none).toContain("The server of the image answered 404.");
});

test("the page that has sent nothing shows what was classified last", async () => {
  const { text } = await visitor.get("/console");
  expect(text).toContain('<h2 id="cards-title">Latest</h2>');
  expect(cardsOf(text).length).toBeGreaterThan(0);
});

test("the name of a file is shown as it is, whatever it is", async () => {
  const { location } = await visitor.post("/console", {
    images: chart(`"><img src=x onerror=alert(1)>.png`),
  });
  const { text } = await visitor.get(location ?? "");
  expect(text).not.toContain("<img src=x");
  expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;.png");
});

test("an address that is none is refused by itself, with its reason on its card", async () => {
  const { status, text } = await visitor.post("/console", {
    urls: `${images.url}/${CHART} javascript:alert(1)`,
  });
  expect(status).toBe(422);
  const [accepted = "", refused = ""] = cardsOf(text);
  expect(accepted).toMatch(/id="cls_\w+"/);
  expect(refused).toContain("javascript:alert(1)</h3>");
  expect(refused).toContain("This is no http or https address.");
  expect(refused).not.toMatch(/href|src/);
});

test("a model that nobody serves is refused with those that are", async () => {
  const { status, text } = await visitor.post("/console", {
    urls: `${images.url}/${CHART}`,
    model: "nothing",
  });
  expect([status, cardsOf(text).length]).toEqual([422, 1]);
  expect(text).toContain("There is no model &quot;nothing&quot; here. Models served: figures.");
});

test.each([
  ["nothing", {}, "Choose an image, or paste the address of one."],
  ["an empty field of files", { images: new File([], "") }, "Choose an image, or paste the address of one."],
  [
    "too many",
    { urls: Array.from({ length: 51 }, (_, i) => `https://example.com/${i}`).join("\n") },
    "These are 51 images; send 50 at once",
  ],
  ["no number of labels", { urls: "https://example.com/a", top_k: "many" }, "top_k"],
])("%s is refused in words", async (_of, fields, words) => {
  const { status, text } = await visitor.post("/console", fields);
  expect(status).toBe(400);
  expect(text).toContain(words);
});

test("the page's script is answered with the cards alone, or in plain words", async () => {
  const { status, text } = await visitor.post("/console", { images: chart() }, { "x-part": "cards" });
  expect(status).toBe(200);
  expect(text).toMatch(/^<article class="card result" id="cls_\w+" data-moving>[^]*<\/article>$/);
  const refused = await visitor.post("/console", { images: chart(), top_k: "0" }, { "x-part": "cards" });
  expect([refused.status, refused.text]).toEqual([400, "/top_k: Too small: expected number to be >=1."]);
});

test("a stream tells what cards look like until they are still", async () => {
  const { location } = await visitor.post("/console", { images: [chart(), chart()] });
  const ids = location?.split("=")[1] ?? "";
  const { status, headers, text } = await visitor.get(`/console/classifications/cards?ids=${ids}`);
  expect([status, headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  const told = [...text.matchAll(/^data: (.*)$/gm)].map(
    ([, data = ""]) => JSON.parse(data) as Record<string, string>,
  );
  expect(Object.keys(told[0] ?? {})).toEqual(ids.split(","));
  for (const card of Object.values(told.at(-1) ?? {})) {
    expect(card).toContain("bar_chart");
    expect(card).not.toContain("data-moving");
  }
});

test("who may only read is led to what there is to read, and who may only classify sees no labels", async () => {
  const { key: reader } = await makeKey(api, { scopes: ["read"] });
  expect((await (await visit(api, reader)).get("/console")).location).toBe("/console/classifications");
  const { key: sender } = await makeKey(api, { scopes: ["classify"] });
  const other = await visit(api, sender);
  const sent = await other.post("/console", { images: chart() });
  expect(sent.status).toBe(303);
  expect(cardsOf((await other.get(sent.location ?? "")).text)).toEqual([]);
});

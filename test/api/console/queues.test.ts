import { UnrecoverableError, Worker } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import { openBoard } from "../../../api/console/board.ts";
import { REDIS_PREFIX } from "../../../shared/keys.ts";
import { makeKey } from "../support/make-key.ts";
import { queueWith } from "../support/queue-with.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { firstEvent } from "./support/first-event.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

const QUEUES = "/console/queues";
const BOARD = `${QUEUES}/board`;
const SLOW = { timeout: 20_000 };

let api: TestApi;
let visitor: Visitor;
beforeAll(async () => {
  const plain = await startTestApi();
  const { deps } = plain;
  api = { ...plain, app: createApp({ ...deps, board: openBoard(deps) }) };
  visitor = await visit(api);
});
afterAll(() => api.close());

/** Lets all jobs of a queue die for a reason. */
async function kill(name: string, reason: string): Promise<void> {
  const die = () => Promise.reject(new UnrecoverableError(reason));
  const worker = new Worker(name, die, { connection: api.redis.redis, prefix: REDIS_PREFIX });
  const left = async () => {
    const { waiting, active } = await api.deps.queues.depth(name);
    return waiting + active;
  };
  await expect.poll(left, SLOW).toBe(0);
  await worker.close();
}

test("every queue of every model is there with what it holds, and it goes on live", async () => {
  const { name } = await queueWith(api, "birds", 1_200);
  const { text } = await visitor.get(QUEUES);
  for (const queue of [
    name,
    "classify.birds.bulk",
    "classify.birds.objects",
    "classify.figures.bulk",
    "scan",
    "deliver",
  ])
    expect(text).toContain(`<tr id="${queue}" data-moving>`);
  expect(text).toContain("1,200 images to label, 0 workers, 1 pod wanted");
  await queueWith(api, "birds", 1);
  const told = await firstEvent(api, visitor, `${QUEUES}/live?ids=${name},load:birds`);
  expect(told[name]).toContain('data-label="Waiting">1201<');
  expect(told["load:birds"]).toContain("1,201 images to label");
});

test("a queue is paused and resumed", async () => {
  const { name } = await queueWith(api, "paused", 1);
  expect((await visitor.post(`${QUEUES}/${name}/pause`)).location).toBe(`${QUEUES}/${name}`);
  expect((await api.deps.queues.depth(name)).paused).toBe(true);
  expect((await visitor.get(`${QUEUES}/${name}`)).text).toContain(
    "no worker takes its jobs until it is resumed",
  );
  await visitor.post(`${QUEUES}/${name}/resume`);
  expect((await api.deps.queues.depth(name)).paused).toBe(false);
});

test("dead letters say why they died, and are redriven one by one or all", async () => {
  const { name, ids } = await queueWith(api, "dead", 3);
  const page = `${QUEUES}/${name}`;
  expect((await visitor.get(page)).text).toContain("There is none: nothing was given up.");
  await kill(name, `<i>${"Not a payload. ".repeat(20)}`);
  const { text } = await visitor.get(page);
  for (const id of ids) expect(text).toContain(id);
  expect(text).toContain("&lt;i&gt;Not a payload.");
  const one = await visitor.post(`${page}/redrive`, { id: ids[0] ?? "" });
  expect(one.location).toBe(`${page}?redriven=1`);
  expect((await visitor.get(one.location ?? "")).text).toContain(
    "1 job waits again, as if never tried. 2 dead letters are left.",
  );
  const all = await visitor.post(`${page}/redrive`);
  expect((await visitor.get(all.location ?? "")).text).toContain(
    "2 jobs wait again, as if never tried. No dead letters are left.",
  );
  expect((await api.deps.queues.depth(name)).waiting).toBe(3);
});

test("there is no page of a queue that there is not", async () => {
  for (const name of ["classify.whales.bulk", "nonsense", "classify.x.*"])
    expect((await visitor.get(`${QUEUES}/${name}`)).status).toBe(404);
});

test("bull-board shows the jobs of all queues, with a policy that lets nothing in from elsewhere", async () => {
  const { name, ids } = await queueWith(api, "board", 2);
  expect((await visitor.get(QUEUES)).text).toContain(`<a class="button" href="${BOARD}">`);
  expect((await visitor.get(`${BOARD}/`)).location).toBe(BOARD);
  const answer = await api.app.request(BOARD, { headers: { cookie: visitor.cookie } });
  expect(answer.headers.get("content-security-policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
  );
  const html = await answer.text();
  const script = /src="(static\/js\/main[^"]+)"/.exec(html)?.[1];
  expect((await visitor.get(`${BOARD}/${script}`)).headers.get("content-type")).toMatch(/javascript/);
  expect((await visitor.get(`${BOARD}/nothing/at/all`)).text).toContain("There is nothing here");
  const listed = await visitor.get(`${BOARD}/api/queues?activeQueue=${name}&status=waiting`);
  const { queues } = JSON.parse(listed.text) as {
    queues: { name: string; readOnlyMode: boolean; jobs: { id: string }[] }[];
  };
  const found = queues.find((queue) => queue.name === name);
  expect(found?.jobs.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
});

test("bull-board changes nothing, and is for operators alone", async () => {
  const { name, ids } = await queueWith(api, "kept", 1);
  for (const [method, path] of [
    ["PUT", `queues/${name}/pause`],
    ["PUT", `queues/${name}/${ids[0]}/clean`],
    ["PUT", `queues/${name}/empty`],
    ["POST", `queues/${name}/add`],
    ["DELETE", `queues/${name}/obliterate`],
  ] as const) {
    const { status } = await api.app.request(`${BOARD}/api/${path}`, {
      method,
      headers: { cookie: visitor.cookie, "content-type": "application/json" },
      body: "{}",
    });
    expect(status, path).toBe(403);
  }
  expect(await api.deps.queues.depth(name)).toMatchObject({ waiting: 1, paused: false });
  const other = await visit(api, (await makeKey(api, { tenant: "another" })).key);
  for (const path of [BOARD, `${BOARD}/api/queues`, `${BOARD}/static/images/logo.svg`])
    expect((await other.get(path)).status).toBe(403);
  const stranger = await api.app.request(`${BOARD}/api/queues`);
  expect([stranger.status, stranger.headers.get("location")?.split("?")[0]]).toEqual([
    303,
    "/console/sign-in",
  ]);
});

test("where nothing looks into jobs there is no link to it", async () => {
  const plain = { ...api, app: createApp(api.deps) };
  const there = await visit(plain);
  expect((await there.get(QUEUES)).text).not.toContain(BOARD);
  expect((await there.get(BOARD)).status).toBe(404);
});

import { UnrecoverableError, Worker } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REDIS_PREFIX } from "../../../../shared/keys.ts";
import { newId } from "../../../../shared/new-id.ts";
import { queueNames } from "../../../../shared/queue.ts";
import { imageJob } from "../../../support/labelling.ts";
import { serveApi } from "../../client/serve-api.ts";
import type { ServedApi } from "../../client/serve-api.ts";
import { linesOf, runAndInterrupt, runTresline } from "../run-tresline.ts";

const LANE = queueNames.classify("figures", "interactive");
const OBJECTS = queueNames.objects("figures");
const BULK = queueNames.classify("figures", "bulk");

let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
});
afterAll(() => api.close());

const env = () => ({ TRESLINE_URL: api.url, TRESLINE_API_KEY: api.apiKey });
const run = (...args: string[]) => runTresline(["admin", ...args], env());
const countDead = async (name: string) => (await api.deps.queues.admin.look(name)).dead;

async function enqueue(lane: "interactive" | "bulk"): Promise<string> {
  const payload = imageJob("/a", { priority: lane });
  await api.deps.queues.enqueueClassify("figures", lane, [{ id: payload.id, payload }]);
  return payload.id;
}

const consumeBy = (name: string, handle: () => Promise<unknown>) =>
  new Worker(name, handle, { connection: api.redis.redis, prefix: REDIS_PREFIX, concurrency: 50 });

/** Adds dead letters to a queue. */
async function addDead(lane: "interactive" | "bulk", count: number): Promise<string[]> {
  const name = queueNames.classify("figures", lane);
  const before = await countDead(name);
  const ids = await Promise.all(Array.from({ length: count }, () => enqueue(lane)));
  const worker = consumeBy(name, () => Promise.reject(new UnrecoverableError("It cannot be read.")));
  await expect.poll(() => countDead(name), { timeout: 20_000 }).toBe(before + count);
  await worker.close();
  return ids;
}

test("the queues are a table of 80 columns; pausing and resuming one shows in it, and JSON lines with --json", async () => {
  await api.deps.queues.enqueueObjects("figures", [{ id: newId("cls"), payload: {} as never }]);
  const paused = await run("pause", OBJECTS);
  expect(paused.code).toBe(0);
  expect(linesOf(paused.out)).toEqual([
    expect.stringMatching(/^QUEUE +WAITING +LATER +IN HAND +DEAD +OLDEST$/),
    expect.stringMatching(/^classify\.figures\.objects +1 +0 +0 +0 +paused$/),
  ]);
  const { out } = await run("inspect");
  expect(out).toMatch(
    /^classify\.figures\.bulk +0 +0 +0 +0 +–\nclassify\.figures\.objects +1 +0 +0 +0 +paused$/m,
  );
  expect(Math.max(...linesOf(out).map((line) => line.length))).toBeLessThanOrEqual(80);
  const resumed = await run("resume", OBJECTS, "--json");
  expect(JSON.parse(resumed.out)).toMatchObject({ id: OBJECTS, paused: false, waiting: 1 });
});

test("dead letters are shown with their queue, a job whole, and they are redriven and discarded", async () => {
  const [first = "", second = ""] = await addDead("interactive", 2);
  const { out } = await run("inspect", LANE);
  expect(out).toMatch(new RegExp(`It cannot be read\\. +1 +\\d\\d-\\d\\d \\d\\d:\\d\\d +${first}\\n`));
  expect(Math.max(...linesOf(out).map((line) => line.length))).toBeLessThanOrEqual(80);
  const [, ...letters] = linesOf((await run("inspect", LANE, "--json")).out);
  expect(letters.map((line) => (JSON.parse(line) as { id: string }).id).toSorted()).toEqual(
    [first, second].toSorted(),
  );
  expect(JSON.parse((await run("inspect", LANE, first)).out)).toMatchObject({
    id: first,
    state: "dead",
    payload: { kind: "image" },
  });
  const redriven = await run("redrive", LANE, "--id", first, "--id", "cls_unknown");
  expect(redriven).toEqual({
    code: 1,
    out: `1 dead letters of ${LANE} wait again. See: tresline admin inspect ${LANE}\n`,
    err: `1 of 1 jobs\ntresline: cls_unknown is no dead letter of ${LANE}.\n`,
  });
  expect((await run("discard", LANE, "--all")).err).toContain("say --yes if you mean it.");
  expect(await countDead(LANE)).toBe(1);
  expect((await run("discard", LANE, "--all", "--yes")).out).toBe(`1 dead letters of ${LANE} are gone.\n`);
  expect(await countDead(LANE)).toBe(0);
});

test("only the newest dead letters are shown, and all that were there are redriven however many", async () => {
  await addDead("bulk", 1_005);
  const { out } = await run("inspect", BULK);
  expect(linesOf(out).at(-1)).toBe(`985 more: tresline admin inspect ${BULK} --all`);
  expect(linesOf((await run("inspect", BULK, "--all")).out)).toHaveLength(1_005 + 4);
  const answers = linesOf((await run("redrive", BULK, "--all", "--json")).out).map(
    (line) => JSON.parse(line) as { ids: string[]; left: number },
  );
  expect(answers.map(({ ids, left }) => [ids.length, left])).toEqual([
    [1_000, 5],
    [5, 0],
  ]);
  expect(await countDead(BULK)).toBe(0);
});

test("draining pauses all queues and waits for what is in hand; Ctrl-C leaves them paused", async () => {
  const { promise: mayEnd, resolve: finish } = Promise.withResolvers<void>();
  const worker = consumeBy(queueNames.deliver, () => mayEnd);
  await api.deps.queues.enqueueDeliver({ id: "msg_drained", payload: {} as never });
  await expect.poll(async () => (await api.deps.queues.admin.look(queueNames.deliver)).active).toBe(1);
  const left = await runAndInterrupt(["admin", "drain"], env());
  expect(left.code).toBe(130);
  expect(left.err).toContain("0 of 1 jobs");
  expect(left.err).toContain("All queues stay paused. Let workers go on by:\n  tresline admin resume --all");
  expect((await api.deps.queues.admin.look(LANE)).paused).toBe(true);
  const draining = run("drain");
  finish();
  const { code, out } = await draining;
  expect(code).toBe(0);
  expect(out).toMatch(/deliver +0 +0 +0 +0 +paused/);
  expect(out).toContain("Nothing is in hand: Redis may be stopped now.");
  await worker.close();
  const resumed = await run("resume", "--all");
  expect([resumed.code, resumed.out.includes("paused")]).toEqual([0, false]);
});

test.each([
  [["inspect", "scan", "bat_1", "more"], "admin inspect takes a queue and a job of it at most"],
  [["inspect", "--all"], "and --all with a queue."],
  [["pause"], "admin pause takes the name of one queue, or --all."],
  [["resume", "scan", "--all"], "admin resume takes the name of one queue, or --all."],
  [["drain", "scan"], "admin drain takes options only."],
  [["redrive", "scan"], "admin redrive takes the name of one queue and --all, or --id"],
  [
    ["redrive", "scan", "--all", "--id", "bat_1"],
    "admin redrive takes the name of one queue and --all, or --id",
  ],
  [["discard", "scan", "--all"], "say --yes if you mean it."],
])("tresline admin %j is refused", async (args, said) => {
  const { code, err } = await run(...args);
  expect(code).toBe(2);
  expect(err).toContain(said);
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { redisKeys, storageKeys } from "../../shared/keys.ts";
import { batchItemId } from "../../shared/new-id.ts";
import { readFigure, toDataUrl } from "./support/figures.ts";
import { PUBLIC_URL, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const WAIT = { prefer: "wait=20" };
const SECRET = "signature-of-a-presigned-url";
const BAR_CHART = readFigure("bar_chart_01.png");
const TABLE = readFigure("table_02.png");

let api: TestApi;
const images = createServer((request, response) => {
  if (request.url?.startsWith("/bar_chart.png")) response.end(BAR_CHART);
  else response.writeHead(404).end();
});
let imagesUrl: string;

beforeAll(async () => {
  await new Promise<void>((listening) => void images.listen(0, "127.0.0.1", listening));
  imagesUrl = `http://127.0.0.1:${(images.address() as AddressInfo).port}`;
  api = await startTestApi();
  await api.startWorker();
});
afterAll(async () => {
  images.close();
  await api.close();
});

const formWith = (fields: Record<string, string> = {}) => {
  const form = new FormData();
  form.set("image", new File([BAR_CHART], "chart.png", { type: "image/png" }));
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
};
const sendBytes = (query = "", headers: Record<string, string> = WAIT) =>
  api.request(`${CLASSIFICATIONS}${query}`, {
    method: "POST",
    headers: { "content-type": "image/png", ...headers },
    body: BAR_CHART,
  });
const sendForm = (fields?: Record<string, string>) =>
  api.request(CLASSIFICATIONS, { method: "POST", headers: WAIT, body: formWith(fields) });
const sendData = (options: object = {}) =>
  api.post(CLASSIFICATIONS, { image: { data: toDataUrl(BAR_CHART) }, ...options }, WAIT);
const sendUrl = () =>
  api.post(CLASSIFICATIONS, { image: { url: `${imagesUrl}/bar_chart.png?token=${SECRET}` } }, WAIT);

const resource = async (response: Response) => Classification.parse(await response.json());

test("each of the four ways to send an image gives the same labels", async () => {
  const answers = await Promise.all([sendUrl(), sendData(), sendBytes(), sendForm()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const ended = await Promise.all(answers.map(resource));
  expect(ended.map(({ status }) => status)).toEqual(Array(4).fill("succeeded"));
  const labels = ended.map(({ predictions }) => predictions?.map(({ label }) => label));
  expect(labels[0]).toHaveLength(5);
  expect(labels[0]?.[0]).toBe("bar_chart");
  for (const { predictions } of ended)
    for (const [rank, { index, score }] of (predictions ?? []).entries()) {
      expect(index).toBe(ended[0]?.predictions?.[rank]?.index);
      expect(score).toBeCloseTo(ended[0]?.predictions?.[rank]?.score ?? -1, 4);
    }
  const sent = { type: "data", media_type: "image/png", bytes: BAR_CHART.byteLength };
  expect(ended.map(({ input }) => input)).toEqual([
    { type: "url", url: `${imagesUrl}/bar_chart.png?token=${SECRET}` },
    sent,
    sent,
    sent,
  ]);
});

test("options mean the same in JSON, in the query and in a form", async () => {
  const text = { top_k: "2", threshold: "0.0001", model: "figures", priority: "bulk" };
  const answers = await Promise.all([
    sendData({ top_k: 2, threshold: 0.0001, model: "figures", priority: "bulk" }),
    sendBytes(`?${new URLSearchParams(text).toString()}`),
    sendForm(text),
  ]);
  const counts = await Promise.all(
    answers.map(async (answer) => (await resource(answer)).predictions?.length),
  );
  expect(new Set(counts)).toEqual(new Set([counts[0]]));
  expect(counts[0]).toBeGreaterThan(0);
  expect(counts[0]).toBeLessThanOrEqual(2);
});

test("predictions below the threshold are left out", async () => {
  const scores = (await resource(await sendBytes())).predictions?.map(({ score }) => score) ?? [];
  const threshold = ((scores[1] ?? 0) + (scores[2] ?? 0)) / 2;
  const { predictions } = await resource(await sendBytes(`?threshold=${threshold.toFixed(6)}`));
  expect(predictions?.map(({ score }) => score)).toEqual(scores.slice(0, 2));
});

test("metadata comes back unchanged", async () => {
  const metadata = { album: "2026", "ключ/~": "été" };
  expect((await resource(await sendData({ metadata }))).metadata).toEqual(metadata);
});

test("a content type is read whatever its case and its parameters", async () => {
  const json = { "content-type": "Application/JSON; charset=utf-8", ...WAIT };
  const inJson = await api.post(
    CLASSIFICATIONS,
    { image: { data: toDataUrl(BAR_CHART, "image/PNG") } },
    json,
  );
  expect(await resource(inJson)).toMatchObject({ status: "succeeded", input: { media_type: "image/png" } });
  const bytes = await sendBytes("", { "content-type": "Image/PNG; q=1", ...WAIT });
  expect(await resource(bytes)).toMatchObject({ status: "succeeded", input: { media_type: "image/png" } });
});

test("base 64 may lack its padding", async () => {
  const data = toDataUrl(TABLE).replace(/=+$/, "");
  const ended = await resource(await api.post(CLASSIFICATIONS, { image: { data } }, WAIT));
  expect(ended.predictions?.[0]?.label).toBe("table");
});

test("what was honoured of Prefer is told, and a finished answer has no address to ask again at", async () => {
  const { headers } = await sendBytes();
  expect(headers.get("preference-applied")).toBe("wait=20");
  expect(headers.get("location")).toBeNull();
  expect(headers.get("retry-after")).toBeNull();
});

test("without Prefer the answer is 202 at once, and GET tells the end from storage once the job is gone", async () => {
  const response = await sendBytes("", {});
  const queued = await resource(response);
  expect(response.status).toBe(202);
  expect(queued).toMatchObject({ status: "queued", predictions: null, completed_at: null });
  expect(response.headers.get("location")).toBe(`${PUBLIC_URL}${CLASSIFICATIONS}/${queued.id}`);
  expect(response.headers.get("retry-after")).toBe("1");
  expect(response.headers.get("preference-applied")).toBeNull();
  const ended = await untilEnded(queued.id);
  expect(ended).toMatchObject({ id: queued.id, status: "succeeded", created_at: queued.created_at });
  const findJob = () => api.deps.queues.findClassification(["figures"], queued.id);
  await expect.poll(findJob).toBeUndefined();
  expect(await resource(await api.request(`${CLASSIFICATIONS}/${queued.id}`))).toEqual(ended);
  expect(await api.deps.storage.get(storageKeys.result("default", queued.id))).toBeDefined();
});

test("an image that cannot be decoded fails with a reason, and is answered with 200", async () => {
  const response = await api.request(CLASSIFICATIONS, {
    method: "POST",
    headers: { "content-type": "image/png", ...WAIT },
    body: "no image at all",
  });
  expect(response.status).toBe(200);
  expect(await resource(response)).toMatchObject({
    status: "failed",
    predictions: null,
    error: { code: "invalid_image", retryable: false },
  });
});

test("a batch's results have a line for each item in its order, of which one may have failed", async () => {
  const names = Array.from({ length: 70 }, (_, index) => `item ${69 - index}`);
  const items = names.map((custom_id, index) => ({
    custom_id,
    image: { data: toDataUrl(index === 65 ? Buffer.from("no image") : index % 2 === 0 ? BAR_CHART : TABLE) },
  }));
  const response = await api.post("/v1/batches", {
    items,
    top_k: 1,
    metadata: { album: "a" },
    output_formats: ["csv"],
  });
  expect(response.status).toBe(202);
  const batch = Batch.parse(await response.json());
  expect(batch).toMatchObject({ request_counts: { total: 70 }, metadata: { album: "a" } });
  const url = `/v1/batches/${batch.id}`;
  expect(response.headers.get("location")).toBe(`${PUBLIC_URL}${url}`);
  expect(response.headers.get("retry-after")).toBe("1");
  await expect.poll(async () => getBatch(url), { timeout: 25_000 }).toMatchObject({ status: "completed" });

  const completed = await getBatch(url);
  expect(completed).toMatchObject({
    progress: 1,
    eta_seconds: null,
    request_counts: { total: 70, succeeded: 69, failed: 1, canceled: 0 },
  });
  const results = await api.request(`${url}/results`);
  expect(results.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = (await results.text()).trimEnd().split("\n");
  const parsed = lines.map((line) => BatchResult.parse(JSON.parse(line)));
  expect(parsed.map(({ custom_id }) => custom_id)).toEqual(names);
  expect(parsed.map(({ id }) => id)).toEqual(names.map((_, index) => batchItemId(batch.id, index)));
  expect(parsed[65]).toMatchObject({ status: "failed", predictions: null, error: { code: "invalid_image" } });
  expect(parsed[0]?.predictions?.map(({ label }) => label)).toEqual(["bar_chart"]);
  expect(parsed[69]?.predictions?.map(({ label }) => label)).toEqual(["table"]);

  await api.redis.redis.del(redisKeys.batch(batch.id));
  expect(await getBatch(url), "told from storage once Redis has forgotten it").toEqual(completed);
  expect((await api.request(`${url}/results`)).status).toBe(200);

  const csv = await (await api.request(`${url}/results?format=csv`)).text();
  expect(csv.split("\n")[0]).toMatch(/^custom_id,id,status,label,/);
  expect(csv.trimEnd().split("\n")).toHaveLength(71);

  const itemId = parsed[65]?.id ?? "";
  const problem = (await (await api.request(`${CLASSIFICATIONS}/${itemId}`)).json()) as Problem;
  expect(problem).toMatchObject({ status: 404, code: "not_found" });
  expect(problem.detail).toBe(`${itemId} is item 65 of batch ${batch.id}: it is in that batch's results.`);
});

test("no line of the log has an image's address", () => {
  expect(api.logLines.length).toBeGreaterThan(5);
  expect(api.logLines.filter((line) => line.includes(SECRET))).toEqual([]);
});

async function untilEnded(id: string): Promise<Classification> {
  const get = async () => resource(await api.request(`${CLASSIFICATIONS}/${id}`));
  await expect.poll(async () => (await get()).completed_at, { timeout: 20_000 }).not.toBeNull();
  return get();
}

async function getBatch(url: string): Promise<Batch> {
  return Batch.parse(await (await api.request(url)).json());
}

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openapiDocument } from "../../api/openapi.ts";
import { writeManifest } from "../../shared/batch-manifest.ts";
import { storageKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { queueNames } from "../../shared/queue.ts";
import { getBatchState } from "../../shared/state/batches.ts";
import { announceModel } from "../../shared/state/models.ts";
import { readFigure, toDataUrl } from "./support/figures.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

/** What an example is taken from. */
interface Exemplary {
  example?: unknown;
  $ref?: string;
}
interface Operation {
  operationId: string;
  parameters?: { name: string; in: "path" | "query" | "header"; required?: boolean; schema: Exemplary }[];
  requestBody?: { content: Record<string, { schema: Exemplary }> };
}
/** One request that the document shows. */
interface Shown {
  name: string;
  method: string;
  path: string;
  operation: Operation;
  mediaType: string | undefined;
}

/** A model of which this API is told and that no worker serves, so that its images never end. */
const UNSERVED = "unserved";
const figure = readFigure("bar_chart_06.png");
const image = { data: toDataUrl(figure) };

let api: TestApi;
let schemas: Record<string, Exemplary>;
let shown: Shown[];
/** An id of something for each kind that examples name, since what an example names never exists. */
let made: Record<string, string>;

beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos" });
  await api.startWorker();
  const { paths, components } = openapiDocument(api.app);
  schemas = components?.schemas as Record<string, Exemplary>;
  shown = Object.entries(paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).flatMap(([method, operation]) =>
      Object.keys(operation.requestBody?.content ?? { "": {} }).map((mediaType) => ({
        name: `${operation.operationId} ${mediaType}`.trimEnd(),
        method: method.toUpperCase(),
        path,
        operation,
        mediaType: mediaType || undefined,
      })),
    ),
  );
  await announceModel(api.redis.redis, {
    name: UNSERVED,
    digest: "sha256:0",
    num_classes: 1,
    device: "cpu",
    served_at: new Date().toISOString(),
  });
  const whe = await newEndpoint();
  const lbl = await newLabeler();
  made = {
    cls_: await make("/v1/classifications", { image }),
    bat_: await endedBatch(),
    lbl_: lbl,
    run_: await endedRun(lbl),
    whe_: whe,
    msg_: await make(`/v1/webhook-endpoints/${whe}/test`, {}),
    key_: await make("/v1/api-keys", { name: "a test's", scopes: ["read"] }),
  };
  await ended(`/v1/classifications/${made["cls_"]}`, "succeeded");
});
afterAll(() => api.close());

async function make(path: string, body: object): Promise<string> {
  const response = await api.post(path, body);
  expect(response.ok, await response.clone().text()).toBe(true);
  return ((await response.json()) as { id: string }).id;
}
const ended = (path: string, as: string) =>
  vi.waitUntil(async () => ((await (await api.request(path)).json()) as { status: string }).status === as, {
    timeout: 20_000,
    interval: 100,
  });
const newEndpoint = () => make("/v1/webhook-endpoints", { url: "https://example.com/hooks" });
const newLabeler = () => make("/v1/labelers", { bucket: "photos" });
/** One item of it failed, so that there is something to retry. */
async function endedBatch(): Promise<string> {
  const items = [
    { custom_id: "good", image },
    { custom_id: "bad", image: { data: toDataUrl(Buffer.from("no image")) } },
  ];
  const id = await make("/v1/batches", { items });
  await ended(`/v1/batches/${id}`, "completed");
  return id;
}
/** It would need a bucket to end by itself. */
async function endedRun(labelerId: string): Promise<string> {
  const id = await make(`/v1/labelers/${labelerId}/runs`, {});
  const state = await getBatchState(api.redis.redis, id);
  if (state === undefined) throw new Error(`${id} is not known.`);
  const record = { ...state.record, id: newId("run") };
  const batch = { ...state.batch, id: record.id, status: "completed" as const, error: null };
  await writeManifest(api.deps.storage, {
    ...state,
    record,
    batch: { ...batch, completed_at: record.created_at },
  });
  await api.deps.storage.put(storageKeys.batchResults(record.id), "", {
    contentType: "application/x-ndjson",
  });
  return record.id;
}

/** What an operation needs that changes or ends what it is asked for, by the names in its path: something of its own. */
const NEEDS: Record<string, () => Promise<Record<string, string>>> = {
  cancelClassification: async () => ({ id: await make("/v1/classifications", { image, model: UNSERVED }) }),
  cancelBatch: async () => ({
    id: await make("/v1/batches", { items: [{ custom_id: "a", image }], model: UNSERVED }),
  }),
  deleteBatch: async () => ({ id: await endedBatch() }),
  createRun: async () => ({ id: await newLabeler() }),
  deleteLabeler: async () => ({ id: await newLabeler() }),
  cancelRun: async () => {
    const id = await newLabeler();
    await api.request(`/v1/labelers/${id}/pause`, { method: "POST" });
    return { id, run_id: await make(`/v1/labelers/${id}/runs`, {}) };
  },
  updateWebhookEndpoint: async () => ({ id: await newEndpoint() }),
  deleteWebhookEndpoint: async () => ({ id: await newEndpoint() }),
  revokeApiKey: async () => ({ id: await make("/v1/api-keys", { name: "a test's", scopes: ["read"] }) }),
  getQueueJob: async () => ({
    queue: queueNames.classify(UNSERVED, "interactive"),
    id: await make("/v1/classifications", { image, model: UNSERVED }),
  }),
  sendUpload: async () => ({
    id: await make("/v1/uploads", { media_type: "image/png", bytes: figure.length }),
  }),
};

/** What the description of an operation says that a request may not have together. */
const NOT_TOGETHER: Record<string, readonly string[]> = {
  // The options of an image are in the query only where the body is the image itself.
  "createClassification application/json": ["query"],
  "createClassification multipart/form-data": ["query"],
};

/** The example of a parameter or body; that of its schema when it refers to one. */
const exampleOf = ({ example, $ref }: Exemplary): unknown =>
  example ?? ($ref === undefined ? undefined : schemas[$ref.split("/").at(-1) ?? ""]?.example);

/** The request as the document shows it: with what it needs alone, or with all for which there is an example. */
async function requestOf({ name, path, operation, mediaType }: Shown, isWhole: boolean) {
  const own = (await NEEDS[operation.operationId]?.()) ?? {};
  let url = path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  for (const { name: parameter, in: place, required, schema } of operation.parameters ?? []) {
    const example = exampleOf(schema);
    expect(required && example === undefined, `${name} has an example of ${parameter}`).toBe(false);
    const isLeftOut = NOT_TOGETHER[name]?.includes(place) ?? false;
    if (example === undefined || !(required || (isWhole && !isLeftOut))) continue;
    const text = `${example as string | number}`;
    if (place === "path")
      url = url.replace(`{${parameter}}`, own[parameter] ?? made[text.slice(0, 4)] ?? text);
    if (place === "query") query.set(parameter, text);
    // A key names one request, and the document shows the same one everywhere.
    if (place === "header") headers[parameter] = parameter === "idempotency-key" ? crypto.randomUUID() : text;
  }
  return { url: `${url}?${query.toString()}`, headers, body: bodyOf(name, operation, mediaType, headers) };
}

function bodyOf(
  name: string,
  { requestBody }: Operation,
  mediaType: string | undefined,
  headers: Record<string, string>,
): string | FormData | Buffer<ArrayBuffer> | undefined {
  if (requestBody === undefined || mediaType === undefined) return undefined;
  if (mediaType === "multipart/form-data") {
    const form = new FormData();
    form.set("image", new File([figure], "cat.png", { type: "image/png" }));
    return form;
  }
  headers["content-type"] = mediaType === "image/*" ? "image/png" : mediaType;
  if (mediaType === "image/*") return figure;
  const example = exampleOf(Object.values(requestBody.content)[0]?.schema ?? {});
  expect(example, `${name} has an example of its body`).toBeDefined();
  return JSON.stringify(example);
}

test.each([
  ["what it needs alone", false],
  ["all that it may have", true],
])(
  "every request that the document shows works, with %s",
  async (_, isWhole) => {
    expect(shown.length).toBeGreaterThan(40);
    const failed: string[] = [];
    for (const each of shown) {
      const { url, headers, body } = await requestOf(each, isWhole);
      const response = await api.request(url, { method: each.method, headers, body: body ?? null });
      if (!response.ok) failed.push(`${each.name}: ${await response.text()}`);
    }
    expect(failed).toEqual([]);
  },
  120_000,
);

import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { Upload } from "../../shared/contracts/upload.ts";
import { redisKeys, storageKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { putUpload } from "../../shared/state/uploads.ts";
import { readFigure, toDataUrl } from "./support/figures.ts";
import { makeKey } from "./support/make-key.ts";
import { PUBLIC_URL, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const TABLE = readFigure("table_02.png");
const WAIT = { prefer: "wait=20" };
const announced = { media_type: "image/png", bytes: TABLE.byteLength };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ MAX_BODY_BYTES: "1000000" });
  await api.startWorker();
});
afterAll(() => api.close());

const make = async (body: object = announced, headers: Record<string, string> = {}): Promise<Upload> => {
  const response = await api.post("/v1/uploads", body, headers);
  expect(response.status).toBe(201);
  return Upload.parse(await response.json());
};
const send = ({ id }: Pick<Upload, "id">, body: Buffer<ArrayBuffer> = TABLE, type = "image/png") =>
  api.request(`/v1/uploads/${id}`, { method: "PUT", body, headers: { "content-type": type } });
const classify = (upload_id: string, headers: Record<string, string> = WAIT) =>
  api.post("/v1/classifications", { image: { upload_id } }, headers);
const problemOf = async (response: Response) => (await response.json()) as Problem;

test("where storage is a directory, the file is sent to the API itself within 15 minutes, and used within a day", async () => {
  const upload = await make();
  expect(upload).toMatchObject({
    ...announced,
    object: "upload",
    method: "PUT",
    url: `${PUBLIC_URL}/v1/uploads/${upload.id}`,
    headers: { "content-type": "image/png" },
  });
  const after = (time: string) => Date.parse(time) - Date.parse(upload.created_at);
  expect([after(upload.send_by), after(upload.use_by)]).toEqual([15 * 60_000, 86_400_000]);
});

test("what was uploaded is classified, as often as it is named", async () => {
  const upload = await make();
  expect((await send(upload)).status).toBe(204);
  for (const _ of [1, 2]) {
    const ended = Classification.parse(await (await classify(upload.id)).json());
    expect(ended).toMatchObject({
      status: "succeeded",
      input: { type: "data", ...announced, upload_id: upload.id },
    });
    expect(ended.predictions?.[0]?.label).toBe("table");
  }
});

test("an upload that nothing was sent to is refused where it is named", async () => {
  const { id } = await make();
  const response = await classify(id);
  expect(response.status).toBe(422);
  expect(await problemOf(response)).toMatchObject({
    code: "fetch_failed",
    detail: `Nothing has been sent to the upload ${id} yet; PUT the file to its url first.`,
    errors: [{ pointer: "/image/upload_id" }],
  });
});

test("an upload that there is not, or of another tenant, is not found, sent or named", async () => {
  const { headers } = await makeKey(api, { tenant: "stranger" });
  const mine = await make();
  await send(mine);
  const unknown = newId("upl");
  const responses = [
    await classify(unknown),
    await classify(mine.id, headers),
    await send({ id: unknown }),
    await api.request(`/v1/uploads/${mine.id}`, {
      method: "PUT",
      body: TABLE,
      headers: { ...headers, "content-type": "image/png" },
    }),
  ];
  for (const response of responses) {
    expect(response.status).toBe(404);
    expect((await problemOf(response)).detail).toMatch(
      /^There is no upload upl_\w+, or it was made more than a day ago; POST \/v1\/uploads makes one\.$/,
    );
  }
});

test("the items of a batch may be uploads, and its retry finds them again", async () => {
  const [upload, damaged] = [await make(), await make({ media_type: "image/png", bytes: 4 })];
  await send(upload);
  await send(damaged, Buffer.from("none"));
  const items = [
    { custom_id: "a", image: { upload_id: upload.id } },
    { custom_id: "b", image: { upload_id: damaged.id } },
  ];
  const batch = Batch.parse(await (await api.post("/v1/batches", { items })).json());
  const [a, b] = await resultsOf(batch.id);
  expect([a?.status, a?.predictions?.[0]?.label]).toEqual(["succeeded", "table"]);
  expect([b?.status, b?.input]).toEqual([
    "failed",
    { type: "data", media_type: "image/png", bytes: 4, upload_id: damaged.id },
  ]);
  await send(damaged, Buffer.from("nope"));
  const retry = Batch.parse(await (await api.post(`/v1/batches/${batch.id}/retry`, {})).json());
  expect((await resultsOf(retry.id)).map(({ custom_id, input }) => [custom_id, input])).toEqual([
    ["b", b?.input],
  ]);
});

async function resultsOf(id: string): Promise<BatchResult[]> {
  const get = async () => Batch.parse(await (await api.request(`/v1/batches/${id}`)).json());
  await expect.poll(async () => (await get()).status, { timeout: 20_000 }).toBe("completed");
  const text = await (await api.request(`/v1/batches/${id}/results`)).text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => BatchResult.parse(JSON.parse(line)));
}

test("a batch that names an upload that is not there is refused whole: nothing of it is stored", async () => {
  const unknown = newId("upl");
  const items = [
    { custom_id: "a", image: { data: toDataUrl(TABLE) } },
    { custom_id: "b", image: { upload_id: unknown } },
  ];
  const stored = async () => {
    let count = 0;
    for await (const _ of api.deps.storage.list("uploads/")) count++;
    return count;
  };
  const before = await stored();
  const response = await api.post("/v1/batches", { items });
  expect(response.status).toBe(404);
  expect(await problemOf(response)).toMatchObject({ errors: [{ pointer: "/items/1/image/upload_id" }] });
  expect(await stored()).toBe(before);
});

test("a file that is not what was announced is refused with what it differs in, and is not stored", async () => {
  const upload = await make();
  const larger = await send(upload, Buffer.concat([TABLE, Buffer.from("1")]));
  expect(larger.status).toBe(422);
  expect((await problemOf(larger)).detail).toBe(
    `This upload was announced with ${TABLE.byteLength} bytes and has ${TABLE.byteLength + 1}.`,
  );
  const other = await send(upload, TABLE, "image/jpeg");
  expect(other.status).toBe(415);
  expect((await problemOf(other)).detail).toBe(
    "This upload was announced as image/png: send that as its Content-Type.",
  );
  expect(await api.deps.storage.size(storageKeys.upload(upload.id))).toBeUndefined();
});

test("what is sent too late is refused", async () => {
  const id = newId("upl");
  const send_by = new Date(Date.now() - 1_000).toISOString();
  await putUpload(api.redis.redis, "default", id, { ...announced, send_by });
  const response = await send({ id });
  expect(response.status).toBe(410);
  expect((await problemOf(response)).detail).toBe(
    `The upload ${id} had to be sent by ${send_by}; make another.`,
  );
});

test("Redis forgets an upload after a day", async () => {
  const { id } = await make();
  const ttl = await api.redis.redis.ttl(redisKeys.upload("default", id));
  expect(ttl).toBeGreaterThan(86_300);
  expect(ttl).toBeLessThanOrEqual(86_400);
});

test.each([
  [{ ...announced, bytes: 1_000_001 }, 413, "/bytes"],
  [{ ...announced, bytes: 0 }, 400, "/bytes"],
  [{ ...announced, media_type: "text/html" }, 400, "/media_type"],
  [{ ...announced, media_type: "image/PNG; q=1" }, 400, "/media_type"],
  [{ bytes: 1 }, 400, "/media_type"],
])("an upload of %j is answered %i, and why", async (body, status, pointer) => {
  const response = await api.post("/v1/uploads", body);
  expect(response.status).toBe(status);
  expect(await problemOf(response)).toMatchObject({ errors: [{ pointer }] });
});

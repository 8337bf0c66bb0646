import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImagePointer } from "../../../shared/contracts/image.ts";
import { PermanentError, TransientError } from "../../../shared/errors.ts";
import { fetchImage } from "../../../worker/image/fetch-image.ts";
import type { ImageSources } from "../../../worker/image/fetch-image.ts";
import { createSafeFetch } from "../../../worker/net/safe-fetch.ts";
import type { SafeFetch } from "../../../worker/net/safe-fetch.ts";
import { startTestServer } from "../../support/http-server.ts";
import type { TestServer } from "../../support/http-server.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const MAX_BYTES = 1_000;
let deps: WorkerTestDeps;
let server: TestServer;
let safeFetch: SafeFetch;
let sources: ImageSources;
beforeAll(async () => {
  deps = await openWorkerDeps();
  server = await startTestServer(({ path }) => {
    const [, kind = "", rest = ""] = path.split("/");
    if (kind === "never") return "hang";
    if (kind === "bytes") return { status: 200, body: Buffer.alloc(Number(rest), 7) };
    if (kind === "hop")
      return {
        status: 302,
        headers: { location: Number(rest) > 1 ? `/hop/${Number(rest) - 1}` : "/bytes/3" },
      };
    return { status: Number(kind) };
  });
  safeFetch = createSafeFetch({ allowedPrivateNetworks: ["127.0.0.1/32"] });
  sources = { safeFetch, storage: deps.storage, buckets: deps.buckets, maxBytes: MAX_BYTES };
});
afterAll(async () => {
  await safeFetch.close();
  await server.stop();
  await deps.stop();
});

const fetchPath = (path: string) => fetchImage({ type: "url", url: server.url + path }, sources);
const failureOf = (path: string) => fetchPath(path).catch((error: unknown) => error);

test("an image is fetched by its URL, byte by byte, over a few redirects, by a client that says who it is", async () => {
  expect(await fetchPath("/bytes/5")).toEqual(new Uint8Array(5).fill(7));
  expect(await fetchPath("/hop/3")).toEqual(new Uint8Array(3).fill(7));
  expect(server.received[0]?.headers).toMatchObject({ accept: "image/*", "user-agent": "Tresline/1" });
});

test("a download that nobody wants any more is broken off, with the reason for that", async () => {
  const reason = new TransientError("canceled", "Its batch was canceled.");
  const url = `${server.url}/never`;
  const controller = new AbortController();
  const fetched = fetchImage({ type: "url", url }, sources, controller.signal);
  await expect.poll(() => server.received.some(({ path }) => path === "/never")).toBe(true);
  controller.abort(reason);
  await expect(fetched).rejects.toBe(reason);
});

test("a file of the most bytes allowed is fetched, one byte more is too large for ever", async () => {
  expect(await fetchPath(`/bytes/${MAX_BYTES}`)).toHaveLength(MAX_BYTES);
  const error = await failureOf(`/bytes/${MAX_BYTES + 1}`);
  expect(error).toBeInstanceOf(PermanentError);
  expect(error).toMatchObject({ code: "image_too_large", message: "The image has more than 1000 bytes." });
});

test.each([400, 401, 403, 404, 410, 422])(
  "an answer of %i will not be another the next time",
  async (status) => {
    const error = await failureOf(`/${status}`);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({
      code: "fetch_failed",
      message: `The server of the image answered ${status}.`,
    });
  },
);

test.each([408, 425, 429, 500, 502, 503, 504])(
  "an answer of %i may be another the next time",
  async (status) => {
    const error = await failureOf(`/${status}`);
    expect(error).toBeInstanceOf(TransientError);
    expect(error).toMatchObject({
      code: "fetch_failed",
      message: `The server of the image answered ${status}.`,
    });
  },
);

test("too many redirects are a failure", async () => {
  expect(await failureOf("/hop/4")).toMatchObject({ name: "PermanentError", code: "fetch_failed" });
});

test("an address that may not be reached is refused for ever", async () => {
  const closed = createSafeFetch({ allowedPrivateNetworks: [] });
  const image: ImagePointer = { type: "url", url: `${server.url}/bytes/5` };
  const error = await fetchImage(image, { ...sources, safeFetch: closed }).catch((thrown: unknown) => thrown);
  await closed.close();
  expect(error).toMatchObject({ name: "PermanentError", code: "fetch_forbidden" });
});

test("an image that came with the request is read from storage; one that is gone is gone for ever", async () => {
  await deps.storage.put("uploads/a", Uint8Array.of(1, 2, 3), { contentType: "image/png" });
  const pointer = { type: "data", media_type: "image/png", bytes: 3 } as const;
  expect(await fetchImage({ ...pointer, key: "uploads/a" }, sources)).toEqual(Uint8Array.of(1, 2, 3));
  await expect(fetchImage({ ...pointer, key: "uploads/b" }, sources)).rejects.toThrow("no longer stored");
});

test("an object of a bucket that is not allowed is refused for ever, with the variable that allows it", async () => {
  const error = await fetchImage({ type: "s3", bucket: "private", key: "a.jpg" }, sources).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: "PermanentError", code: "fetch_forbidden" });
  expect(String(error)).toContain('"private" may not be read: it is not among S3_SOURCE_BUCKETS');
});

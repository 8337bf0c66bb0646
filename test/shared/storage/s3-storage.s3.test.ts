import { once } from "node:events";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { HeadObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { openStorage } from "../../../shared/storage/open-storage.ts";
import type { Storage } from "../../../shared/storage/storage.ts";
import { describeStorage } from "./contract.ts";
import { keys } from "./contract/stored.ts";
import { makeBuckets, useS3 } from "../../support/test-s3.ts";

const { endpoint, secretAccessKey } = inject("s3");
const bucket = `storage-${Date.now()}`;
let storage: Storage;
let client: S3Client;

beforeAll(async () => {
  useS3();
  client = await makeBuckets(bucket);
  storage = await openStorage(`s3://${bucket}`, { forcePathStyle: true });
});

afterEach(() => void vi.stubEnv("AWS_ENDPOINT_URL_S3", endpoint));

afterAll(async () => {
  await storage.close();
  client.destroy();
  vi.unstubAllEnvs();
});

describe("a bucket is a storage:", () => {
  describeStorage(() => storage);
});

/** Writes to a signed address; the size is what the body has. */
const send = (url: string, body: string, contentType = "image/png") =>
  fetch(url, { method: "PUT", body, headers: { "content-type": contentType } });

test("an address that is signed for an object takes that alone, of its type and size, until its time is over", async () => {
  const inner = await openStorage(`s3://${bucket}/signed/`, { forcePathStyle: true });
  const signing = { contentType: "image/png", bytes: 5, seconds: 60 };
  const url = (await inner.signPut("uploads/ü 1", signing)) ?? "";
  expect(url).toMatch(/^http:.*X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost/);
  expect((await send(url, "123456")).status).toBe(403);
  expect((await send(url, "12345", "text/html")).status).toBe(403);
  expect((await send(url.replace("%201", "%202"), "12345")).status).toBe(403);
  expect(await inner.size("uploads/ü 1")).toBeUndefined();
  expect((await send(url, "12345")).status).toBe(200);
  expect(await inner.size("uploads/ü 1")).toBe(5);
  const brief = (await inner.signPut("brief", { ...signing, seconds: 1 })) ?? "";
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  expect((await send(brief, "12345")).status).toBe(403);
  await inner.close();
});

test("a prefix is a place of its own in a bucket, and content types are kept", async () => {
  const [inner, other] = await Promise.all([
    openStorage(`s3://${bucket}/some/where/`, { forcePathStyle: true }),
    openStorage(`s3://${bucket}/some`, { forcePathStyle: true }),
  ]);
  await inner.put("a.json", "{}", { contentType: "application/json" });
  expect(await keys(inner, "")).toEqual(["a.json"]);
  expect(await keys(other, "")).toEqual(["where/a.json"]);
  const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "some/where/a.json" }));
  expect(head.ContentType).toBe("application/json");
  await Promise.all([inner.close(), other.close()]);
});

test("what was written as it came has its content type, and no parts of what broke off are left to be paid for", async () => {
  const jsonLines = { contentType: "application/x-ndjson" };
  await storage.putStream("parts", manyBytes(), jsonLines);
  const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "parts" }));
  expect(head).toMatchObject({ ContentType: "application/x-ndjson", ContentLength: 20_000_000 });
  expect(head.ETag, "it came in three parts").toMatch(/-3"$/);
  await expect(storage.putStream("parts", manyBytes(new Error("no more")), jsonLines)).rejects.toThrow(
    "no more",
  );
  const unfinished = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  expect(unfinished.Uploads ?? []).toEqual([]);
});

test("a bucket that does not exist is an error and not an absent object", async () => {
  const nowhere = await openStorage("s3://no-such-bucket", { forcePathStyle: true });
  await expect(nowhere.get("a")).rejects.toThrow('S3 could not read "a": NoSuchBucket');
  await expect(nowhere.getStream("a")).rejects.toThrow("NoSuchBucket");
  await expect(nowhere.delete("a")).rejects.toThrow("NoSuchBucket");
  await expect(nowhere.putStream("a", manyBytes(), { contentType: "text/plain" })).rejects.toThrow(
    "NoSuchBucket",
  );
  await expect(nowhere.list("").next()).rejects.toThrow("NoSuchBucket");
  await expect(nowhere.check()).rejects.toThrow("NoSuchBucket");
  await nowhere.close();
});

test("wrong keys are an error and not an absent object", async () => {
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wrong");
  const refused = await openStorage(`s3://${bucket}`, { forcePathStyle: true });
  await expect(refused.get("a")).rejects.toThrow("SignatureDoesNotMatch");
  await expect(refused.check()).rejects.toThrow("SignatureDoesNotMatch");
  await refused.close();
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
});

test("a server that is not there is an error within seconds", async () => {
  const server = await listen(() => {});
  server.close();
  const gone = await openAt(server);
  await expect(gone.get("a")).rejects.toThrow("ECONNREFUSED");
  await expect(gone.putIfAbsent("a", "", { contentType: "text/plain" })).rejects.toThrow("ECONNREFUSED");
  await gone.close();
}, 15_000);

test("a server that never answers is an error within half a minute", async () => {
  const server = await listen(() => {});
  const silent = await openAt(server);
  await expect(silent.get("a")).rejects.toThrow('S3 could not read "a": Error: no answer within 20 s');
  await silent.close();
  server.close();
}, 30_000);

test("a server that is overloaded once is asked again", async () => {
  const answers = [
    "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
  ];
  const server = await listen((socket) => socket.on("data", () => socket.write(answers.shift() ?? "")));
  const slow = await openAt(server);
  expect(new TextDecoder().decode(await slow.get("a"))).toBe("hello");
  await slow.close();
  server.close();
});

test("a conditional put that meets another one is tried again, as AWS asks for", async () => {
  const conflict = "HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n";
  const answers = [conflict, conflict, "HTTP/1.1 412 Precondition Failed\r\ncontent-length: 0\r\n\r\n"];
  const server = await listen((socket) => socket.on("data", () => socket.write(answers.shift() ?? "")));
  const busy = await openAt(server);
  expect(await busy.putIfAbsent("a", "", { contentType: "text/plain" })).toBe(false);
  expect(answers).toEqual([]);
  await busy.close();
  server.close();
});

test("an object whose connection breaks half-way is an error and not a short object", async () => {
  const server = await listen((socket) =>
    socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhello")),
  );
  const broken = await openAt(server);
  await expect(broken.get("a")).rejects.toThrow('S3 could not read "a"');
  const reader = (await broken.getStream("a"))?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("hello");
  await expect(reader?.read()).rejects.toThrow("aborted");
  await broken.close();
  server.close();
});

/** 20 MB, and an error at their end. */
async function* manyBytes(error?: Error): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 20; i++) yield new Uint8Array(1_000_000);
  if (error) throw error;
}

interface FakeServer {
  address: string;
  close(): void;
}

/** A TCP server of a test's own for what a real S3 server cannot be made to do. */
async function listen(answer: (socket: Socket) => void): Promise<FakeServer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    answer(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has no port.");
  return { address: `http://127.0.0.1:${address.port}`, close };
}

async function openAt(server: FakeServer): Promise<Storage> {
  vi.stubEnv("AWS_ENDPOINT_URL_S3", server.address);
  return openStorage("s3://bucket", { forcePathStyle: true });
}

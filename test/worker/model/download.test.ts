import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { download } from "../../../worker/model/hub/download.ts";
import { openDispatcher } from "../../../worker/model/hub/request-file.ts";
import { CONTENT, file, listen, serve } from "./file-server.ts";
import type { Behaviour } from "./file-server.ts";
import { temporaryDir } from "./temporary-dir.ts";

const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

/** Promises the whole file, sends so many bytes of it and cuts the connection when they are in the folder. */
const breaksOffAfter =
  (bytes: number, dir: string): Behaviour =>
  async (_request, response) => {
    response.writeHead(200, { etag: '"v1"', "content-length": CONTENT.length });
    response.write(CONTENT.subarray(0, bytes));
    const part = join(dir, "file.part");
    while (!existsSync(part) || statSync(part).size < bytes) await sleep(2);
    response.destroy();
  };
const answers =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (_request, response) =>
    void response.writeHead(status, headers).end();

/** Answers a range request with another range. */
const wrongRange: Behaviour = (_request, response) =>
  void response
    .writeHead(206, { "content-range": `bytes 10-${CONTENT.length - 1}/${CONTENT.length}` })
    .end(CONTENT.subarray(10));

function fetchFile(url: string, dir: string, more: { sha256?: string; env?: Record<string, string> } = {}) {
  const dispatcher = openDispatcher(more.env ?? {});
  onTestFinished(() => dispatcher.close());
  const target = join(dir, "file");
  return download({ url, target, dispatcher, sha256: more.sha256, retryDelayMs: 1, onProgress: () => {} });
}

const content = (dir: string) => readFileSync(join(dir, "file")).equals(CONTENT);

test("a file is downloaded whole and its sha256 given", async () => {
  const dir = temporaryDir();
  const { url, ranges } = await serve(file());
  expect(await fetchFile(`${url}/file`, dir, { sha256: SHA256.slice(0, 8) })).toBe(SHA256);
  expect([content(dir), ranges]).toEqual([true, [undefined]]);
});

test("a download that breaks off goes on where it stopped", async () => {
  const dir = temporaryDir();
  const { url, ranges } = await serve(breaksOffAfter(100_000, dir), file());
  expect(await fetchFile(url, dir)).toBe(SHA256);
  expect([content(dir), ranges]).toEqual([true, [undefined, "bytes=100000-"]]);
});

test("a download given up is gone on with by the next command", async () => {
  const dir = temporaryDir();
  const busy = Array(5).fill(answers(503));
  const { url, ranges } = await serve(breaksOffAfter(70_000, dir), ...busy, file());
  await expect(fetchFile(url, dir)).rejects.toThrow(
    /given up after 5 tries: the server answered 503\. Run the command again/,
  );
  expect(existsSync(join(dir, "file"))).toBe(false);
  expect(await fetchFile(url, dir)).toBe(SHA256);
  expect([content(dir), ranges.at(-1)]).toEqual([true, "bytes=70000-"]);
});

test("a server that ignores ranges is read from the beginning", async () => {
  const dir = temporaryDir();
  const { url } = await serve(
    breaksOffAfter(50_000, dir),
    (_request, response) => void response.writeHead(200).end(CONTENT),
  );
  expect(await fetchFile(url, dir)).toBe(SHA256);
  expect(content(dir)).toBe(true);
});

test("a file that changed between two tries is not stitched together", async () => {
  const dir = temporaryDir();
  const changed = randomBytes(200_000);
  const { url } = await serve(breaksOffAfter(50_000, dir), file(changed, '"v2"'));
  expect(await fetchFile(url, dir)).toBe(createHash("sha256").update(changed).digest("hex"));
});

test("a server that answers with another range than asked for is not believed", async () => {
  const dir = temporaryDir();
  const { url } = await serve(breaksOffAfter(50_000, dir), wrongRange, file());
  expect(await fetchFile(url, dir)).toBe(SHA256);
  expect(content(dir)).toBe(true);
});

test("a download whose last byte had come is found complete", async () => {
  const dir = temporaryDir();
  const { url, ranges } = await serve(file());
  writeFileSync(join(dir, "file.part"), CONTENT);
  writeFileSync(join(dir, "file.part.json"), JSON.stringify({ url, validator: '"v1"' }));
  expect(await fetchFile(url, dir)).toBe(SHA256);
  expect(ranges).toEqual([`bytes=${CONTENT.length}-`]);
});

test("another file than was promised is deleted", async () => {
  const dir = temporaryDir();
  const lying = await serve(file());
  await expect(fetchFile(lying.url, dir, { sha256: "0123abcd" })).rejects.toThrow(
    /its sha256 is [0-9a-f]{64}, 0123abcd expected; the file was deleted/,
  );
  expect(readdirSync(dir)).toEqual([]);

  const hub = await serve(
    answers(302, { location: "/blob", "x-linked-etag": `"${"a".repeat(64)}"` }),
    file(),
  );
  await expect(fetchFile(hub.url, dir)).rejects.toThrow(/aaaa expected; the file was deleted/);
  expect(readdirSync(dir)).toEqual([]);
});

test("redirects are followed to another host, and the hub's hash is kept on the way", async () => {
  const dir = temporaryDir();
  const blobs = await serve(file());
  const hub = await serve(
    answers(302, { location: `${blobs.url}/blob?signed=1`, "x-linked-etag": `"${SHA256}"` }),
  );
  expect(await fetchFile(`${hub.url}/timm/x/resolve/main/model.safetensors`, dir)).toBe(SHA256);
  expect(blobs.paths).toEqual(["/blob?signed=1"]);
});

test("a redirect in a circle, or to another protocol, is refused at once", async () => {
  const dir = temporaryDir();
  const circle = await serve(answers(301, { location: "/again" }));
  await expect(fetchFile(circle.url, dir)).rejects.toThrow(/redirects more than 10 times/);
  const ftp = await serve(answers(302, { location: "ftp://example.org/model" }));
  await expect(fetchFile(ftp.url, dir)).rejects.toThrow(
    /redirects to ftp:\/\/example\.org\/model, which is not followed/,
  );
  expect(ftp.paths).toHaveLength(1);
});

test("a server that refuses is not asked again, one that is busy is", async () => {
  const dir = temporaryDir();
  const refusing = await serve(answers(404));
  await expect(fetchFile(refusing.url, dir)).rejects.toThrow(/the server answered 404\./);
  expect(refusing.paths).toHaveLength(1);
  const busy = await serve(answers(503), answers(429), file());
  expect(await fetchFile(busy.url, dir)).toBe(SHA256);
});

test("what is there already, complete and unharmed, is not fetched again", async () => {
  const dir = temporaryDir();
  const { url, paths } = await serve(file());
  await fetchFile(url, dir);
  await fetchFile(url, dir);
  expect(paths).toHaveLength(1);
  writeFileSync(join(dir, "file"), "damaged");
  expect(await fetchFile(url, dir)).toBe(SHA256);
  expect([paths.length, content(dir)]).toEqual([2, true]);
});

test("the proxy that the environment names is used, unless NO_PROXY names the host", async () => {
  const { url, paths } = await serve(file());
  const tunnels: string[] = [];
  const proxy = createServer().on("connect", (request: IncomingMessage, socket) => {
    tunnels.push(request.url ?? "");
    const target = new URL(`http://${request.url}`);
    const upstream = connect(Number(target.port), target.hostname, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  const proxyUrl = await listen(proxy);
  expect(await fetchFile(url, temporaryDir(), { env: { HTTP_PROXY: proxyUrl } })).toBe(SHA256);
  expect(tunnels).toEqual([new URL(url).host]);
  expect(await fetchFile(url, temporaryDir(), { env: { HTTP_PROXY: proxyUrl, NO_PROXY: "127.0.0.1" } })).toBe(
    SHA256,
  );
  expect([tunnels.length, paths.length]).toEqual([1, 2]);
});

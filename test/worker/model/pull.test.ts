import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { download } from "../../../worker/model/hub/download.ts";
import { openDispatcher } from "../../../worker/model/hub/request-file.ts";
import { ensureDemoModel } from "../../../worker/model/demo.ts";
import { openModelDir } from "../../../worker/model/model-dir.ts";
import { zooCard } from "../../../worker/model/zoo-card.ts";
import { zooModel } from "../../../worker/model/zoo.ts";
import { fixture } from "./read-tensors.ts";
import { tresline, treslineWith } from "./run-cli.ts";
import { writeCheckpoint } from "./write-checkpoint.ts";

const CONTENT = randomBytes(300_000);
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tresline-pull-"));
  cleanups.push(() => rmSync(dir, { recursive: true }));
  return dir;
}

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A server whose n-th answer is the n-th behaviour, the last one again and again; `ranges` are the Range headers it saw, `paths` what was asked for. */
async function serve(...behaviours: Behaviour[]) {
  const ranges: (string | undefined)[] = [];
  const paths: string[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    paths.push(request.url ?? "");
    void behaviours[Math.min(ranges.length, behaviours.length) - 1]?.(request, response);
  });
  return { url: await listen(server), ranges, paths };
}

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => server.close() && server.closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves the content as a good file server does: ranges, a strong ETag, If-Range. */
const file =
  (content = CONTENT, etag = '"v1"'): Behaviour =>
  ({ headers }, response) => {
    const range = /^bytes=(\d+)-$/.exec(headers.range ?? "");
    const from = range && (headers["if-range"] ?? etag) === etag ? Number(range[1]) : 0;
    if (from > 0 && from >= content.length)
      return void response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    const body = content.subarray(from);
    const partial =
      from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {};
    return void response
      .writeHead(from > 0 ? 206 : 200, { etag, "content-length": body.length, ...partial })
      .end(body);
  };

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
  cleanups.push(() => dispatcher.close());
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

test("pull NAME fetches from the hub that HF_ENDPOINT names and builds with the model's labels and preprocessing", async () => {
  const dir = temporaryDir();
  const leakySlopes = { stem: 1e-2, blocks: 1e-3 };
  const checkpoint = join(dir, "checkpoint.safetensors");
  writeCheckpoint(checkpoint, {
    layers: [1, 1, 1, 1],
    widthFactor: 0.125,
    v2: false,
    numClasses: 1000,
    head: "linear",
    leakySlopes,
  });
  const bytes = readFileSync(checkpoint);
  const { url, paths } = await serve(file(bytes));
  const env = { HF_ENDPOINT: `${url}/`, MODELS_DIR: join(dir, "models") };
  const { code, err, out } = await treslineWith(
    env,
    "pull",
    "tresnet_l.miil_in1k_448",
    "--precision",
    "fp16",
  );
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^precision +fp16$/m);
  expect(paths).toEqual(["/timm/tresnet_l.miil_in1k_448/resolve/main/model.safetensors"]);
  const { manifest, labels } = openModelDir(join(dir, "models/tresnet_l.miil_in1k_448"));
  expect([labels.length, labels[0]]).toEqual([1000, "tench, Tinca tinca"]);
  expect(manifest).toMatchObject({ labels_from: "config", preprocess: { crop_mode: "squash" } });
  const card = readFileSync(join(dir, "models/tresnet_l.miil_in1k_448/MODEL_CARD.md"), "utf8");
  expect(card).toContain("top-1 82.278 %");
  expect(card).not.toContain("semantic softmax");
  expect(manifest.source.checkpoint).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
});

test("the card of an ImageNet-21K-P model says that its scores are no probabilities", () => {
  const manifest = openModelDir(ensureDemoModel("figures", temporaryDir())).manifest;
  expect(zooCard(zooModel("tresnet_m.miil_in21k"), manifest)).toMatch(
    /semantic softmax[^]*a score is no probability/,
  );
  expect(zooCard(zooModel("tresnet_m"), manifest)).toMatch(
    /^# tresnet_m\.miil_in21k_ft_in1k\n[^]*top-1 83\.09 %/,
  );
});

test("pull --from takes a file or any URL, and the hash in torch hub's file names is checked", async () => {
  const dir = temporaryDir();
  const bytes = readFileSync(fixture("golden/tiny_s.legacy_nonzip.pth"));
  const hash = createHash("sha256").update(bytes).digest("hex");
  const { url } = await serve(file(bytes));
  const out = join(dir, "tiny");
  expect((await tresline("pull", "--from", `${url}/tiny-${hash.slice(0, 8)}.pth`, "--out", out)).err).toBe(
    "",
  );
  expect(openModelDir(out).manifest.num_classes).toBe(10);
  expect((await tresline("pull", "--from", fixture("golden/tiny_s.filt.pth"), "--out", out)).err).toBe("");

  for (const [args, message] of [
    [
      ["--from", `${url}/tiny-00000000.pth`, "--out", join(dir, "no")],
      /00000000 expected; the file was deleted/,
    ],
    [
      ["--from", fixture("golden/tiny_s.filt.pth"), "--out", join(dir, "no"), "--sha256", "00000000"],
      /00000000 expected/,
    ],
    [["--from", join(dir, "nothing.pth"), "--out", join(dir, "no")], /no such file/],
    [["tresnet_xxl"], /tresnet_xxl: no such model; see tresline-model list/],
    [["--from", "https://", "--out", join(dir, "no")], /not a URL/],
    [[], /pull needs one NAME or --from/],
  ] as const) {
    const { code, err } = await tresline("pull", ...args);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  }
  expect(existsSync(join(dir, "no"))).toBe(false);
});

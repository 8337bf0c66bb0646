import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { createServer as createTlsServer } from "node:tls";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { createSafeFetch } from "../../../worker/net/safe-fetch.ts";
import type { SafeFetch, SafeFetchRequest } from "../../../worker/net/safe-fetch.ts";

const LOCAL = { allowedPrivateNetworks: ["127.0.0.1/32"] };
const ASK: SafeFetchRequest = { timeoutMs: 5_000, maxBytes: 1_000, whenTooLarge: "throw", maxRedirects: 3 };

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

test("an answer of any status comes back with its headers and body", async () => {
  const port = await serve((_, response) => {
    response.writeHead(503, { "Retry-After": "7", "X-Twice": ["a", "b"] }).end("busy");
  });
  const answer = await open().fetch(`http://127.0.0.1:${port}/a?b=c`, ASK);
  expect(answer).toMatchObject({ status: 503, truncated: false, url: `http://127.0.0.1:${port}/a?b=c` });
  expect(answer.headers).toMatchObject({ "retry-after": "7", "x-twice": "a, b" });
  expect(Buffer.from(answer.body).toString()).toBe("busy");
});

test("a POST sends its method, headers and bytes, and its redirect is given back and not followed", async () => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const port = await serve(async (request, response) => {
    seen.push({ request, body: (await buffer(request)).toString() });
    response.writeHead(307, { location: "/elsewhere" }).end("moved");
  });
  const answer = await open().fetch(`http://127.0.0.1:${port}/hook`, {
    ...ASK,
    method: "POST",
    headers: { "webhook-id": "msg_1" },
    body: '{"é":1}',
  });
  expect(answer).toMatchObject({ status: 307, headers: { location: "/elsewhere" } });
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ body: '{"é":1}', request: { method: "POST", url: "/hook" } });
  expect(seen[0]?.request.headers).toMatchObject({ "webhook-id": "msg_1", host: `127.0.0.1:${port}` });
});

test("a name is looked up once a connection, and stays the Host", async () => {
  const hosts: (string | undefined)[] = [];
  const connections = new Set<Socket>();
  const port = await serve((request, response) => {
    hosts.push(request.headers.host);
    connections.add(request.socket);
    response.end();
  });
  const names: string[] = [];
  const out = open({ ...LOCAL, lookup: answering(names, ["127.0.0.1"]) });
  for (let i = 0; i < 5; i++) await out.fetch(`http://images.test:${port}/${i}`, ASK);
  expect(hosts).toEqual(Array.from({ length: 5 }, () => `images.test:${port}`));
  expect(names).toEqual(Array.from(connections, () => "images.test"));
});

test("a name stays the name that TLS asks for, and a server without its certificate is refused", async () => {
  const asked: string[] = [];
  const server = createTlsServer({
    SNICallback: (name, callback) => {
      asked.push(name);
      callback(null);
    },
  });
  const port = await listen(server.on("tlsClientError", () => {}));
  const out = open({ ...LOCAL, lookup: answering([], ["127.0.0.1"]) });
  await expect(out.fetch(`https://images.test:${port}/`, ASK)).rejects.toMatchObject({
    code: "fetch_failed",
  });
  expect(asked).toEqual(["images.test"]);
});

test("a body of just the limit passes; one byte more is refused or cut off, as the caller chooses", async () => {
  const port = await serve((request, response) => {
    response.write("x".repeat(999));
    response.end(request.url === "/fits" ? "y" : "yz");
  });
  const out = open();
  const fits = await out.fetch(`http://127.0.0.1:${port}/fits`, ASK);
  expect([fits.body.length, fits.truncated]).toEqual([1_000, false]);
  const cut = await out.fetch(`http://127.0.0.1:${port}/`, { ...ASK, whenTooLarge: "truncate" });
  expect([Buffer.from(cut.body).toString(), cut.truncated]).toEqual([`${"x".repeat(999)}y`, true]);
  await expect(out.fetch(`http://127.0.0.1:${port}/`, ASK)).rejects.toMatchObject({
    name: "ResponseTooLargeError",
    message: `The answer of "127.0.0.1:${port}" has more than 1000 bytes.`,
  });
});

test("a body without end costs no more than the limit and closes the connection", async () => {
  let closed = 0;
  const port = await serve((_, response) => {
    const more = () => {
      while (response.write("x".repeat(10_000)));
    };
    response.on("drain", more).on("close", () => closed++);
    more();
  });
  const out = open();
  await expect(out.fetch(`http://127.0.0.1:${port}/`, ASK)).rejects.toThrow("has more than 1000 bytes");
  const cut = await out.fetch(`http://127.0.0.1:${port}/`, { ...ASK, whenTooLarge: "truncate" });
  expect(cut.body).toHaveLength(1_000);
  await expect.poll(() => closed).toBe(2);
});

test("a body that is announced as too large is refused before it comes", async () => {
  const port = await serve((_, response) => {
    response.writeHead(200, { "content-length": "1001" }).write("the beginning, and then nothing");
  });
  await expect(open().fetch(`http://127.0.0.1:${port}/`, ASK)).rejects.toThrow("has more than 1000 bytes");
});

test("a compressed body is not unpacked", async () => {
  const bomb = gzipSync(Buffer.alloc(5_000_000));
  const port = await serve((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
  });
  const { body } = await open().fetch(`http://127.0.0.1:${port}/`, { ...ASK, maxBytes: bomb.length });
  expect(gunzipSync(body)).toHaveLength(5_000_000);
});

test.each<[string, RequestListener]>([
  ["never answers", () => {}],
  [
    "trickles its headers",
    (request) => {
      request.socket.write("HTTP/1.1 200 OK\r\n");
      trickle(() => request.socket.write("x: y\r\n"));
    },
  ],
  ["trickles its body", (_, response) => trickle(() => response.write("x"))],
  [
    "trickles the body of a redirect",
    (_, response) => {
      response.writeHead(302, { location: "/" });
      trickle(() => response.write("x"));
    },
  ],
  [
    "redirects for ever, slowly",
    (_, response) => void setTimeout(() => response.writeHead(302, { location: "/" }).end(), 100),
  ],
])("a server that %s is given up in time", async (_, answer) => {
  const port = await serve(answer);
  const asked = open().fetch(`http://127.0.0.1:${port}/`, { ...ASK, timeoutMs: 400, maxRedirects: 100 });
  await expect(asked).rejects.toMatchObject({
    name: "TransientError",
    code: "timeout",
    message: `The fetch from "127.0.0.1:${port}" was not done within 400 ms.`,
  });
});

test("a look-up that never ends is given up in time", async () => {
  const out = open({ ...LOCAL, lookup: () => new Promise(() => {}) });
  await expect(out.fetch("http://images.test/", { ...ASK, timeoutMs: 200 })).rejects.toMatchObject({
    code: "timeout",
  });
}, 5_000);

test("the caller's signal ends a fetch with the caller's reason, before it begins too", async () => {
  const port = await serve(() => caller.abort(new Error("canceled by the caller")));
  const caller = new AbortController();
  const ask = { ...ASK, signal: caller.signal };
  await expect(open().fetch(`http://127.0.0.1:${port}/`, ask)).rejects.toThrow("canceled by the caller");
  await expect(open().fetch(`http://127.0.0.1:${port}/`, ask)).rejects.toThrow("canceled by the caller");
});

test.each<[string, RequestListener, string]>([
  ["before its answer", (request) => request.socket.destroy(), "the connection was broken off"],
  ["with a reset", (request) => request.socket.resetAndDestroy(), "the connection was broken off"],
  [
    "in the middle of its body",
    (request, response) => response.write("half", () => request.socket.destroy()),
    "the connection was broken off",
  ],
  [
    "with something that is not HTTP",
    (request) => request.socket.end("SSH-2.0-OpenSSH\r\n"),
    "the answer is not HTTP",
  ],
  [
    "with headers without end",
    (request) => request.socket.write(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}`),
    "the headers of the answer are too large",
  ],
])("a server that ends %s is trouble that may pass", async (_, answer, reason) => {
  const port = await serve(answer);
  await expect(open().fetch(`http://127.0.0.1:${port}/`, ASK)).rejects.toMatchObject({
    name: "TransientError",
    code: "fetch_failed",
    message: `The fetch from "127.0.0.1:${port}" failed: ${reason}.`,
  });
});

test("no message shows the address that a name stands for", async () => {
  const port = await closedPort();
  const out = open({ ...LOCAL, lookup: answering([], ["127.0.0.1"]) });
  await expect(out.fetch(`http://images.test:${port}/`, ASK)).rejects.toMatchObject({
    message: `The fetch from "images.test:${port}" failed: the connection was refused.`,
  });
  const inside = open({ ...LOCAL, lookup: answering([], ["10.11.12.13"]) });
  await expect(inside.fetch(`http://images.test:${port}/`, ASK)).rejects.toMatchObject({
    name: "PermanentError",
    code: "fetch_forbidden",
    message: 'The host "images.test" may not be fetched from: it has an address that is not public.',
  });
});

test("a name that nobody knows is trouble that may pass", async () => {
  const unknown = Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
  await expect(
    open({ ...LOCAL, lookup: () => Promise.reject(unknown) }).fetch("http://images.test/", ASK),
  ).rejects.toMatchObject({
    code: "fetch_failed",
    message: 'The fetch from "images.test" failed: no such host is known.',
  });
  await expect(
    open({ ...LOCAL, lookup: answering([], []) }).fetch("http://images.test/", ASK),
  ).rejects.toThrow("no such host is known");
});

test("redirects are followed, relative ones too, up to the limit, where the redirect itself is given back", async () => {
  const port = await serve((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end("here");
    else response.writeHead(302, { location: `./${left - 1}` }).end("not here");
  });
  const found = await open().fetch(`http://127.0.0.1:${port}/3`, ASK);
  expect(found).toMatchObject({ status: 200, url: `http://127.0.0.1:${port}/0` });
  const lost = await open().fetch(`http://127.0.0.1:${port}/4`, ASK);
  expect(lost).toMatchObject({ status: 302, url: `http://127.0.0.1:${port}/1` });
});

test("a resolver that changes its answer never leads to the address that is refused", async () => {
  const port = await serve(
    (_, response) => void response.writeHead(200, { connection: "close" }).end("public"),
  );
  const canary = await canaryOn("127.0.0.2", port);
  let lookups = 0;
  const lookup = () =>
    Promise.resolve([{ address: lookups++ % 2 === 0 ? "127.0.0.1" : "127.0.0.2", family: 4 }]);
  const out = open({ ...LOCAL, lookup });
  for (let round = 0; round < 5; round++) {
    const { body } = await out.fetch(`http://rebind.test:${port}/`, ASK);
    expect(Buffer.from(body).toString()).toBe("public");
    await expect(out.fetch(`http://rebind.test:${port}/`, ASK)).rejects.toMatchObject({
      code: "fetch_forbidden",
    });
  }
  expect([lookups, canary.connections]).toEqual([10, 0]);
});

test("a host with one good and one refused address is refused, in whichever order they come", async () => {
  const port = await serve((_, response) => void response.end());
  const canary = await canaryOn("127.0.0.2", port);
  for (const addresses of [
    ["127.0.0.1", "127.0.0.2"],
    ["127.0.0.2", "127.0.0.1"],
    ["127.0.0.1", "::1"],
  ]) {
    const out = open({ ...LOCAL, lookup: answering([], addresses) });
    await expect(out.fetch(`http://both.test:${port}/`, ASK)).rejects.toMatchObject({
      code: "fetch_forbidden",
    });
  }
  expect(canary.connections).toBe(0);
});

function open(options: Parameters<typeof createSafeFetch>[0] = LOCAL): SafeFetch {
  const out = createSafeFetch(options);
  cleanUp.push(() => out.close());
  return out;
}

/** A resolver that always gives the same answer and notes what it was asked. */
function answering(names: string[], addresses: string[]) {
  return async (name: string) => {
    names.push(name);
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
}

function trickle(write: () => unknown): void {
  const timer = setInterval(write, 20);
  cleanUp.push(() => clearInterval(timer));
}

async function serve(listener: (...asked: Parameters<RequestListener>) => unknown): Promise<number> {
  const server = createServer((request, response) => void listener(request, response));
  cleanUp.push(() => server.closeAllConnections());
  return listen(server);
}

async function listen(server: NetServer, host = "127.0.0.1", port = 0): Promise<number> {
  await once(server.listen(port, host), "listening");
  cleanUp.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has no port.");
  return address.port;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  return port;
}

interface Canary {
  connections: number;
}

/** A server that counts who reaches it. */
async function canaryOn(host: string, port: number, canary: Canary = { connections: 0 }): Promise<Canary> {
  const server = createServer((_, response) => void response.end("reached"));
  server.on("connection", () => canary.connections++);
  cleanUp.push(() => server.closeAllConnections());
  await listen(server, host, port);
  return canary;
}

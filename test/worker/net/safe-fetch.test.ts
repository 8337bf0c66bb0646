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

test.each([
  "http://127.0.0.2:PORT/",
  "//127.0.0.2:PORT/",
  "http://localhost.test:PORT/",
  "http://[::1]:PORT/",
  "http://user@127.0.0.1:PORT/",
  "http://169.254.169.254/latest/meta-data/",
  "file:///etc/passwd",
  "ftp://127.0.0.1/",
  "data:text/plain,hello",
  "http://",
])("a redirect to %s is refused", async (location) => {
  const port = await serve((_, response) => {
    response.writeHead(302, { location: location.replace("PORT", String(port)) }).end();
  });
  const canary = await canaryOn("127.0.0.2", port);
  const out = open({ ...LOCAL, lookup: answering([], ["127.0.0.2"]) });
  await expect(out.fetch(`http://127.0.0.1:${port}/`, ASK)).rejects.toMatchObject({
    name: "PermanentError",
    code: "fetch_forbidden",
  });
  expect(canary.connections).toBe(0);
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

const LOOPBACK_HOSTS = `
  127.0.0.1 127.0.0.1. 127.1 127.1. 127.0.1 127.000.000.001 127.0.0.2 127.255.255.254 127.0.0.0
  0177.0.0.1 0177.0.0.01 0177.1 017700000001 00000177.0.0.1 2130706433 2130706433. 0x7f000001 0X7F000001
  0x7f.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0x7F.0.0x1 127.0x0.0.0x1 0x0000007f.1
  %31%32%37.0.0.1 127%2e0%2e0%2e1 127。0。0。1 127．0．0．1 １２７.０.０.１ ①②⑦.⓪.⓪.①
  0.0.0.0 0.0.0.0. 0 0x0 00 0.0 256.256.256.256 4294967297
  [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::] [::0.0.0.1]
  [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1]
  [::ffff:0.0.0.0] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1]
  [2002:7f00:1::] [2002:7f00:0001::1] [fe80::1] [fe80::1%25lo] [::1%25lo] [::1%lo]
  localhost LOCALHOST ｌocalhost local%68ost 
  user@127.0.0.1 user:pass@127.0.0.1 1.1.1.1@127.0.0.1 1.1.1.1:80@127.0.0.1 @127.0.0.1 :@127.0.0.1
  1.1.1.1%40@127.0.0.1 127.0.0.1%00 127.0.0.1%2523 127.0.0.1%20
`
  .trim()
  .split(/\s+/);

const OTHER_URLS = [
  "http:127.0.0.1:PORT",
  "http:/127.0.0.1:PORT",
  "http:///127.0.0.1:PORT",
  "http:\\\\127.0.0.1:PORT",
  "http://127.0.0.1:PORT\\@1.1.1.1/",
  " http://127.0.0.1:PORT ",
  "ht\ntp://loc\tal\nhost:PORT/",
  "http://loc\u00adalhost:PORT/",
  "HTTP://127.1:PORT",
  "https://127.0.0.1:PORT",
  "ftp://127.0.0.1:PORT",
  "ws://127.0.0.1:PORT",
  "gopher://127.0.0.1:PORT/_x",
  "file:///dev/null",
  "file://127.0.0.1:PORT/",
  "unix:/var/run/docker.sock",
  "blob:http://127.0.0.1:PORT/",
  "data:,x",
  "127.0.0.1:PORT",
  "//127.0.0.1:PORT",
  "",
];

test.each([...LOOPBACK_HOSTS.map((host) => `http://${host}:PORT/`), ...OTHER_URLS])(
  "%j reaches nothing",
  async (url) => {
    const [port, canary] = await canaries();
    await expect(
      open({ allowedPrivateNetworks: [] }).fetch(url.replaceAll("PORT", String(port)), ASK),
    ).rejects.toMatchObject({
      name: "PermanentError",
      code: "fetch_forbidden",
    });
    expect(canary.connections).toBe(0);
  },
);

test.each([
  "localhost.",
  "localhost.localdomain",
  "ip6-localhost",
  "127.0.0.1.nip.io",
  "127-0-0-1.sslip.io",
  "a.b.c.internal",
  "xn--nxasmq6b",
  "0177.0.0.1.example",
])("the name %j that stands for this machine reaches nothing", async (name) => {
  const [port, canary] = await canaries();
  for (const address of ["127.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", "::", "127.0.0.1%lo"]) {
    const out = open({ allowedPrivateNetworks: [], lookup: answering([], [address]) });
    const asked = out.fetch(`http://${name}:${port}/`, ASK);
    await expect(asked).rejects.toMatchObject({ name: "PermanentError", code: "fetch_forbidden" });
  }
  expect(canary.connections).toBe(0);
});

test("the same spellings do reach the canary when its address is allowed, so that the canary is alive", async () => {
  const [port, canary] = await canaries();
  const out = open({ allowedPrivateNetworks: ["127.0.0.0/8", "::1/128"] });
  for (const host of ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "①②⑦.⓪.⓪.①", "localhost", "127.0.0.2"]) {
    expect([host, (await out.fetch(`http://${host}:${port}/`, ASK)).status]).toEqual([host, 200]);
  }
  expect(canary.connections).toBeGreaterThanOrEqual(3);
});

test("the address of the cloud's credentials is refused although its network is allowed", async () => {
  const out = open({
    allowedPrivateNetworks: ["169.254.0.0/16", "0.0.0.0/0", "::/0"],
    lookup: answering([], ["169.254.169.254"]),
  });
  for (const host of [
    "169.254.169.254",
    "metadata.test",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "0xa9fea9fe",
  ]) {
    await expect(out.fetch(`http://${host}/latest/meta-data/`, ASK)).rejects.toMatchObject({
      code: "fetch_forbidden",
    });
  }
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

/** One canary on every address of this machine: a free port of IPv6's and IPv4's at once. */
async function canaries(): Promise<[port: number, canary: Canary]> {
  const canary = { connections: 0 };
  const port = await closedPort();
  await canaryOn("::", port, canary);
  return [port, canary];
}

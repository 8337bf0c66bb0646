import type { RequestListener } from "node:http";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { ASK, closeAll, open, serve, trickle } from "./safe-fetch-setup.ts";

afterEach(closeAll);

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

import type { IncomingMessage, RequestListener } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { ASK, closeAll, open, serve } from "./safe-fetch-setup.ts";

afterEach(closeAll);

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

import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { serve } from "@hono/node-server";
import type { ServerType } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "../../shared/contracts/error.ts";
import { API_KEY, startTestApi } from "../api/support/test-api.ts";
import type { TestApi } from "../api/support/test-api.ts";

const MAX_BODY_BYTES = 10_000;

let api: TestApi;
let server: ServerType;
beforeAll(async () => {
  api = await startTestApi({ MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
  server = serve({ fetch: api.app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
});
afterAll(async () => {
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
  await api.close();
});

/** Sends bytes as they are and gives back all that was answered until the other side closed, or for two seconds. */
async function send(request: string): Promise<string> {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const socket = connect(address.port, "127.0.0.1");
  setTimeout(() => socket.end(), 2_000).unref();
  socket.write(request, "latin1");
  return text(socket).catch((error: Error) => error.message);
}

const AUTH = `Authorization: Bearer ${API_KEY}\r\n`;
const JSON_TYPE = "Content-Type: application/json\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";
/** A request to a host, which is to be answered at once. */
const ask = (line: string, headers = "", body = "") =>
  `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n${body}`;
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${"x".repeat(bytes)}\r\n`;

/** What Node refuses before anything of ours sees it. */
const NOT_HTTP: Record<string, string> = {
  "two lengths": ask("POST /v1/batches", `${AUTH}Content-Length: 2\r\nContent-Length: 3\r\n`, "{} "),
  "a length and chunks": ask("POST /v1/batches", `${AUTH}Content-Length: 2\r\n${CHUNKED}`, "0\r\n\r\n"),
  "a chunk without a length": ask("POST /v1/batches", AUTH + JSON_TYPE + CHUNKED, "zz\r\n"),
  "no host": "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
  "a tab in the path": ask("GET /v1/\tbatches"),
  "NUL in the path": ask("GET /\0"),
  "a backslash in the path": ask("GET /healthz\\..\\v1/batches"),
  "a URL without a host": ask("GET http://"),
  "a host that is none": "GET /healthz HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n",
  "a host with a port that is none": "GET /healthz HTTP/1.1\r\nHost: a:99999\r\nConnection: close\r\n\r\n",
  "a method that is none": ask("BREW /healthz"),
  "a method in lower case": ask("get /healthz"),
  "a folded header": ask("GET /healthz", "X: a\r\n b\r\n"),
  "a space before the colon of a header": ask("GET /healthz", "X : a\r\n"),
  "a control character in a header": ask("GET /healthz", "X: a\u0001\r\n"),
  "HTTP/3": "GET / HTTP/3.0\r\nHost: x\r\n\r\n",
  "the beginning of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "20 kB of a header": ask("GET /healthz", `X: ${"x".repeat(20_000)}\r\n`),
  "3000 headers": ask("GET /healthz", "a: b\r\n".repeat(3_000)),
  "a path of 20 kB": ask(`GET /${"x".repeat(20_000)}`),
};

describe("what is not HTTP is refused without a word of our own, and the server goes on", () => {
  test.each(Object.entries(NOT_HTTP))("%s", async (_, request) => {
    expect(await send(request)).toMatch(
      /^HTTP\/1\.1 4(00|31) [^\r]+\r\n([\w-]+: [^\r]*\r\n)*\r\n(0\r\n\r\n)?$/,
    );
    expect(await send(ask("GET /healthz"))).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

const REFUSED: [what: string, request: string, status: number][] = [
  [
    "chunks beyond the limit",
    ask("POST /v1/batches", AUTH + JSON_TYPE + CHUNKED, `${chunk(8_000).repeat(2)}0\r\n\r\n`),
    413,
  ],
  ["chunks without end", ask("POST /v1/batches", AUTH + JSON_TYPE + CHUNKED, chunk(8_000).repeat(20)), 413],
  [
    "chunks of an image beyond the limit",
    ask("POST /v1/classifications", `${AUTH}Content-Type: image/png\r\n${CHUNKED}`, chunk(8_000).repeat(2)),
    413,
  ],
  ["a length beyond the limit", ask("POST /v1/batches", `${AUTH}${JSON_TYPE}Content-Length: 10001\r\n`), 413],
  [
    "events beyond their limit",
    ask("POST /v1/events/s3", AUTH + JSON_TYPE + CHUNKED, chunk(60_000).repeat(110)),
    400,
  ],
  [
    "chunks without end and without a key",
    ask("POST /v1/batches", JSON_TYPE + CHUNKED, chunk(8_000).repeat(20)),
    401,
  ],
  ["a path that leads out of one without a key", ask("GET /healthz/../v1/batches"), 401],
  ["the same, encoded", ask("GET /healthz/%2e%2e/v1/batches"), 401],
  ["a path of encoded letters", ask("GET /%76%31/batches"), 401],
  ["a path that ends in a slash", ask("GET /v1/batches/"), 401],
  ["a whole URL of somebody else", ask("GET http://169.254.169.254/v1/batches"), 401],
  [
    "an Authorization that is right and one that is not",
    ask("GET /v1/batches", `${AUTH}Authorization: Bearer x\r\n`),
    401,
  ],
  ["the same in the other order", ask("GET /v1/batches", `Authorization: Bearer x\r\n${AUTH}`), 401],
  [
    "the question of a browser whether another origin may ask",
    ask("OPTIONS /v1/batches", "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n"),
    401,
  ],
  ["two slashes", ask("GET //v1/batches", AUTH), 404],
  ["two slashes and a host", ask("GET //evil.example/v1/batches", AUTH), 404],
  ["an encoded slash", ask("GET /v1%2Fbatches", AUTH), 404],
  ["other letters", ask("GET /V1/batches", AUTH), 404],
  ["a percent sign", ask("GET /%", AUTH), 404],
  ["half of a character", ask("GET /%c3", AUTH), 404],
  ["TRACE", ask("TRACE /v1/batches", `${AUTH}Cookie: a=b\r\n`), 404],
  [
    "another method in a header",
    ask("POST /v1/webhook-secret", `${AUTH}X-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n`),
    404,
  ],
  [
    "two types of a body",
    ask("POST /v1/batches", `${AUTH}Content-Type: image/png\r\n${JSON_TYPE}Content-Length: 2\r\n`, "{}"),
    415,
  ],
];

describe("what is HTTP but not right is answered with a problem", () => {
  test.each(REFUSED)("%s", async (_, request, status) => {
    const [head = "", ...body] = (await send(request)).split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/^content-type: application\/problem\+json$/im);
    expect(head).toMatch(/^x-content-type-options: nosniff$/im);
    expect(head).not.toMatch(/^access-control-/im);
    const json = /\{.*\}/s.exec(body.join(""))?.[0];
    expect(Problem.parse(JSON.parse(json ?? "")).status).toBe(status);
    expect(head + body.join("")).not.toContain(API_KEY);
  });
});

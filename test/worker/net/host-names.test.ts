import { createServer } from "node:http";
import type { Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { ASK, LOCAL, canaryOn, closeAll, listen, open, serve } from "./safe-fetch-setup.ts";

afterEach(closeAll);

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

test("a look-up that never ends is given up in time", async () => {
  const out = open({ ...LOCAL, lookup: () => new Promise(() => {}) });
  await expect(out.fetch("http://images.test/", { ...ASK, timeoutMs: 200 })).rejects.toMatchObject({
    code: "timeout",
  });
}, 5_000);

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

/** A resolver that always gives the same answer and notes what it was asked. */
function answering(names: string[], addresses: string[]) {
  return async (name: string) => {
    names.push(name);
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  return port;
}

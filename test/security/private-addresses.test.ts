import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { messageId, newId } from "../../shared/new-id.ts";
import { newWebhookSecret } from "../../shared/signature.ts";
import { makeAttempt } from "../../worker/deliver/make-attempt.ts";
import { fetchImage } from "../../worker/image/fetch-image.ts";
import { createSafeFetch } from "../../worker/net/safe-fetch.ts";
import { fakeBucket } from "../support/fake-bucket.ts";
import { memoryStorage } from "../support/memory-storage.ts";
import { ADDRESS_TRICKS, CREDENTIAL_URLS, INSIDE_NAMES } from "./support/address-tricks.ts";
import { watchConnections } from "./support/watch-connections.ts";
import type { ConnectionWatch } from "./support/watch-connections.ts";
import { words } from "./support/words.ts";

const EVERYTHING = ["0.0.0.0/0", "::/0"];

const cleanUp: (() => unknown)[] = [];
let watch: ConnectionWatch;
/** Who came to the listener on every address of this machine. */
let reached: string[] = [];
let port = 0;

beforeAll(async () => {
  port = await listen("::", (request, response) => {
    reached.push(`${request.method} ${request.headers.host}`);
    response.end("reached");
  });
  watch = watchConnections();
});
afterEach(() => {
  reached = [];
  watch.attempts.splice(0);
});
afterAll(async () => {
  watch.stop();
  for (const step of cleanUp.toReversed()) await step();
});

async function listen(host: string, listener: RequestListener, at = 0): Promise<number> {
  const server = createServer(listener);
  await once(server.listen(at, host), "listening");
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The two who fetch what somebody else named, over one way out. */
function open(allowedPrivateNetworks: string[], answers: Record<string, string[]> = {}) {
  const safeFetch = createSafeFetch({
    allowedPrivateNetworks,
    lookup: async (name) =>
      (answers[name] ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
  });
  cleanUp.push(() => safeFetch.close());
  const sources = {
    safeFetch,
    storage: memoryStorage(),
    buckets: fakeBucket().buckets,
    maxBytes: 1_000,
  };
  return {
    image: (url: string) => fetchImage({ type: "url", url: at(url) }, sources),
    async callback(url: string) {
      const payload = {
        message_id: await messageId(newId("cls"), "webhook.test", "x"),
        tenant: "default",
        event_type: "webhook.test" as const,
        url,
        body: "{}",
        created_at: new Date().toISOString(),
        sending: 0,
      };
      return makeAttempt(payload, { url: at(url), secrets: [newWebhookSecret()] }, safeFetch);
    },
  };
}

const at = (url: string) => url.replaceAll("PORT", String(port));

const FORBIDDEN = { name: "PermanentError", code: "fetch_forbidden" };

/** What becomes of an image and of a callback at a URL, and who was reached or tried on the way. */
async function tried(url: string, out: ReturnType<typeof open>) {
  const image = await out.image(url).catch((error: unknown) => error);
  const callback = await out.callback(url);
  return { image, callback, reached, attempts: watch.attempts };
}

/** Both are refused, without as much as an attempt at a connection. */
const NOTHING = {
  image: expect.objectContaining(FORBIDDEN),
  callback: {
    outcome: { kind: "retry", reason: expect.stringMatching(/host|URL/) },
    responseBody: null,
    startedAt: expect.any(Number),
    durationMs: expect.any(Number),
  },
  reached: [],
  attempts: [],
};

describe.each(Object.entries(ADDRESS_TRICKS))("%s", (_, urls) => {
  const inside = ["127.0.0.1", "::1"];
  const names = ["localhost", "localhost.", "127.0.0.1%00"];
  const out = open([], Object.fromEntries(names.map((name) => [name, inside])));
  test.each(urls)("%j reaches nothing", async (url) => {
    expect(await tried(url, out)).toEqual(NOTHING);
  });
});

describe("where clouds hand out credentials, even if everything is allowed", () => {
  const out = open(EVERYTHING);
  test.each(CREDENTIAL_URLS)("%j reaches nothing", async (url) => {
    expect(await tried(url, out)).toEqual(NOTHING);
  });
});

const INSIDE = words(`
  127.0.0.1 0.0.0.0 ::1 :: ::ffff:127.0.0.1 127.0.0.1%lo 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 169.254.169.254
  fe80::1%lo fd00::1 64:ff9b::7f00:1 2002:7f00:1::`);
const CREDENTIALS = words(`
  169.254.169.254 168.63.129.16 100.100.100.200 fd00:ec2::254 fd20:ce::254 fe80::a9fe:a9fe ::ffff:169.254.169.254
  64:ff9b::a9fe:a9fe`);

test.each(INSIDE_NAMES)(
  "the name %j reaches nothing, whatever address inside it stands for",
  async (name) => {
    const key = name.toLowerCase();
    for (const address of INSIDE)
      expect(await tried(`http://${name}:PORT/`, open([], { [key]: [address] }))).toEqual(NOTHING);
    for (const address of CREDENTIALS)
      expect(await tried(`http://${name}:PORT/`, open(EVERYTHING, { [key]: [address] }))).toEqual(NOTHING);
  },
);

test("one address inside among those that are public closes a name, in whichever place it stands", async () => {
  const publicOnes = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "9.9.9.9"];
  for (const address of INSIDE)
    for (let place = 0; place <= publicOnes.length; place++) {
      const addresses = publicOnes.toSpliced(place, 0, address);
      expect(await tried("http://mixed.test:PORT/", open([], { "mixed.test": addresses }))).toEqual(NOTHING);
    }
});

test("there are enough tricks", () => {
  const urls = [...Object.values(ADDRESS_TRICKS).flat(), ...CREDENTIAL_URLS];
  expect(new Set(urls).size).toBeGreaterThan(250);
});

test("the listener is alive and the watch sees who comes: the same spellings get there when the address is allowed", async () => {
  const out = open(["127.0.0.0/8", "::1/128"], { localhost: ["127.0.0.1", "::1"] });
  for (const host of [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "①②⑦.⓪.⓪.①",
    "localhost",
    "127.0.0.2",
    "[::1]",
  ]) {
    expect(Buffer.from(await out.image(`http://${host}:PORT/`)).toString()).toBe("reached");
    expect(await out.callback(`http://${host}:PORT/`)).toMatchObject({ outcome: { kind: "delivered" } });
  }
  expect(reached).toHaveLength(16);
  expect(new Set(watch.attempts)).toEqual(new Set(["127.0.0.1", "127.0.0.2", "::1"]));
});

/** A server that is allowed, which sends who asks for /N over N more hops and then to `location`. */
const redirectTo = async (location: string) => {
  const from = await listen("127.0.0.1", ({ url }, response) => {
    const left = Number(url?.slice(1));
    response.writeHead(302, { location: left > 0 ? `/${left - 1}` : at(location) }).end();
  });
  return `http://127.0.0.1:${from}`;
};

describe("redirects", () => {
  test.each([
    "http://127.0.0.2:PORT/",
    "//127.0.0.2:PORT/",
    "http://inside.test:PORT/",
    "http://[::1]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://127.2:PORT/",
    "https://127.0.0.2:PORT/",
    "http://user@127.0.0.1:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:PORT/_x",
    "data:text/plain,hello",
    "http://",
  ])("to %s are refused at each hop that is followed", async (location) => {
    const start = await redirectTo(location);
    const out = open(["127.0.0.1/32"], { "inside.test": ["127.0.0.2"] });
    for (const hops of [0, 1, 2])
      await expect(out.image(`${start}/${hops}`)).rejects.toMatchObject(FORBIDDEN);
    expect(await out.callback(`${start}/0`)).toMatchObject({ outcome: { kind: "retry", status: 302 } });
    expect([reached, new Set(watch.attempts)]).toEqual([[], new Set(["127.0.0.1"])]);
  });
});

test("a connection that is open to one name serves no other", async () => {
  const hosts = new Map<Socket, Set<string | undefined>>();
  const shared = await listen("127.0.0.1", ({ socket, headers }, response) => {
    hosts.set(socket, (hosts.get(socket) ?? new Set()).add(headers.host));
    response.end();
  });
  const out = open(["127.0.0.1/32"], { "one.test": ["127.0.0.1"], "two.test": ["127.0.0.1"] });
  for (let i = 0; i < 12; i++) {
    await out.image(`http://${i % 2 === 0 ? "one" : "two"}.test:${shared}/`);
    await setTimeout(10);
  }
  expect([...hosts.values()].every(({ size }) => size === 1)).toBe(true);
  expect(hosts.size).toBeLessThan(12);
});

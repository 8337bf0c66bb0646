import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { toLoggedError } from "../../shared/logger.ts";
import { openRedis } from "../../shared/redis.ts";
import { startTestRedis } from "../support/redis.ts";

/** What a program logs that has a logger at hand. */
function logged(program: string): Record<string, unknown>[] {
  const source = `import { createLogger } from "./shared/logger.ts"; const logger = createLogger("api", "info"); ${program}`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", source], {
    encoding: "utf8",
  });
  return stdout
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));
}

test("a line says when, how important, of which service and what", () => {
  const [line, ...more] = logged(`logger.debug("no"); logger.warn({ queue: "x" }, "slow");`);
  expect(line).toEqual({
    level: "warn",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    service: "api",
    queue: "x",
    msg: "slow",
  });
  expect(more).toEqual([]);
});

test("an error is logged with its kind, message, code, place and causes, and without anything else", () => {
  const [line] = logged(`
    const cause = new TypeError("inner", { cause: "a text" });
    const error = Object.assign(new Error("outer", { cause }), { code: "E1", command: { args: ["hidden"] } });
    logger.error({ err: error }, "trouble");`);
  const stack = expect.stringMatching(/^(Type)?Error: (inner|outer)\n +at /);
  expect(line?.["err"]).toEqual({
    type: "Error",
    message: "outer",
    code: "E1",
    stack,
    cause: { type: "TypeError", message: "inner", stack, cause: { type: "string", message: "a text" } },
  });
});

test("errors of which there are several are told each, and a ring of causes comes to an end", () => {
  const [line] = logged(`
    const ring = new Error("ring");
    ring.cause = ring;
    logger.error({ err: new AggregateError([new Error("one"), ring], "both") }, "trouble");`);
  expect(line?.["err"]).toMatchObject({
    type: "AggregateError",
    errors: [{ message: "one" }, { message: "ring" }],
  });
  expect(JSON.stringify(line).match(/"message":"ring"/g)).toHaveLength(5);
});

test("Redis's errors do not tell its password, nor what was to be written", async () => {
  const { url, redis, stop } = await startTestRedis();
  const said: Error[] = [];
  const stranger = openRedis(url.replace(/:[^:@]+@/, ":the-wrong-password@"), "fail-fast", (e) =>
    said.push(e),
  );
  await stranger.set("key", "the-secret").catch((error: Error) => said.push(error));
  stranger.disconnect();
  await redis.set("key", "");
  await redis.call("HSET", "key", "field", "the-secret").catch((error: Error) => said.push(error));
  await stop();
  expect(said.map((error) => error.message).join()).toMatch(/WRONGPASS.*WRONGTYPE/);
  expect(JSON.stringify(said.map((error) => toLoggedError(error)))).not.toMatch(
    /the-(wrong-password|secret)/,
  );
});

test("S3's errors do not tell the credentials", async () => {
  const server = createServer(
    (_, response) => void response.writeHead(403).end("<Error><Code>AccessDenied</Code></Error>"),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = new S3Client({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: "the-id", secretAccessKey: "the-secret", sessionToken: "the-token" },
  });
  const error = await client
    .send(new GetObjectCommand({ Bucket: "b", Key: "k" }))
    .catch((thrown: unknown) => thrown);
  client.destroy();
  server.close();
  const line = toLoggedError(error);
  expect(line.type).toBe("AccessDenied");
  expect(JSON.stringify(line)).not.toMatch(/the-(id|secret|token)/);
});

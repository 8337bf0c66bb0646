import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { ApiConfig } from "../../api/config.ts";
import { readConfig } from "../../shared/config.ts";
import { WorkerConfig } from "../../worker/config.ts";

const Service = z.strictObject({
  image: z.string(),
  build: z
    .strictObject({ context: z.string(), dockerfile: z.string(), target: z.string().optional() })
    .optional(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  restart: z.string().optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal("service_healthy") })).default({}),
  healthcheck: z.record(z.string(), z.unknown()).optional(),
  stop_grace_period: z.string().optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
});
const Compose = z.strictObject({
  name: z.string(),
  "x-connections": z.record(z.string(), z.string()),
  services: z.record(z.enum(["redis", "s3", "api", "worker"]), Service),
  networks: z.record(z.string(), z.strictObject({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.strictObject({})),
});

const { services, networks, volumes } = Compose.parse(
  parse(readFileSync("infra/compose.yaml", "utf8"), { merge: true }),
);
const all = Object.entries(services);

/** What a variable of a service comes to when the one that is needed is given. */
const given = (text: string): string =>
  text
    .replaceAll(/\$\{API_KEY:\?[^}]*\}/g, "a-key-of-at-least-16")
    .replaceAll(/\$\{\w+:-([^}]*)\}/g, (_all, byDefault: string) => byDefault);
const environmentOf = (name: "api" | "worker" | "s3") =>
  Object.fromEntries(
    Object.entries(services[name].environment).map(([key, value]) => [key, given(value)] as const),
  );

test.each([
  ["api", ApiConfig],
  ["worker", WorkerConfig],
] as const)("the %s reads every variable that it is given, and they make sense to it", (name, config) => {
  const environment = environmentOf(name);
  const own = Object.keys(environment).filter((key) => !key.startsWith("AWS_"));
  expect(own.filter((key) => !(key in config.shape))).toEqual([]);
  expect(() => readConfig(config, environment)).not.toThrow();
});

test("nothing has a default that is a secret", () => {
  const text = readFileSync("infra/compose.yaml", "utf8");
  const secrets = [...text.matchAll(/(\w*(?:SECRET|API_KEY|PASSWORD)\w*): (.*)/g)];
  expect(secrets.length).toBeGreaterThan(2);
  for (const [, name, value] of secrets) expect(value, name).toMatch(/^\$\{API_KEY:\?/);
});

test("API and worker share one Redis and one bucket, by the names and ports that those have", () => {
  const [api, worker] = [environmentOf("api"), environmentOf("worker")];
  for (const key of ["REDIS_URL", "STORAGE_URL", "MODEL", "AWS_ENDPOINT_URL_S3", "AWS_SECRET_ACCESS_KEY"])
    expect(api[key], key).toBe(worker[key]);
  expect(api["REDIS_URL"]).toBe("redis://redis:6379");
  const s3 = environmentOf("s3");
  expect(api["AWS_ENDPOINT_URL_S3"]).toBe(`http://s3${s3["VGW_PORT"]}`);
  expect([api["AWS_ACCESS_KEY_ID"], api["AWS_SECRET_ACCESS_KEY"]]).toEqual([
    s3["ROOT_ACCESS_KEY"],
    s3["ROOT_SECRET_KEY"],
  ]);
  const bucket = new URL(api["STORAGE_URL"] ?? "").host;
  expect(services.s3.entrypoint?.at(-1)).toBe(
    `mkdir -p /data/${bucket} && exec versitygw posix --sidecar /metadata /data`,
  );
  expect(services.s3.volumes).toEqual(["objects:/data", "metadata:/metadata"]);
});

test("Redis keeps what it was given", () => {
  const [program, ...words] = services.redis.command ?? [];
  expect(program).toBe("redis-server");
  expect(words.join(" ")).toContain("--appendonly yes --maxmemory-policy noeviction");
  expect(services.redis.volumes).toEqual(["redis:/data"]);
});

test("only the API can be reached, from this machine alone; Redis and the bucket reach nothing", () => {
  const reachable = all.filter(([, service]) => service.ports.length > 0);
  expect(reachable.map(([name, { ports }]) => [name, ports])).toEqual([
    ["api", [`127.0.0.1:8080:${ApiConfig.shape.PORT.parse(undefined)}`]],
  ]);
  expect(networks["inside"]?.internal).toBe(true);
  for (const name of ["redis", "s3"] as const) expect(services[name].networks).toEqual(["inside"]);
});

test("every image of others has an exact tag, and those of ours are built from Dockerfiles that are there", () => {
  const ofOthers = all.filter(([, { build }]) => build === undefined);
  expect(ofOthers.map(([, { image }]) => image).filter((image) => !/:v?\d+\.\d+\.\d+/.test(image))).toEqual(
    [],
  );
  const [api, worker] = [services.api.build, services.worker.build];
  expect(readFileSync(join("infra/..", api?.dockerfile ?? ""), "utf8")).toContain("api/node.ts");
  expect(readFileSync(join("infra/..", worker?.dockerfile ?? ""), "utf8")).toContain(
    ` AS ${worker?.target}\n`,
  );
  expect([api?.context, worker?.context]).toEqual(["..", ".."]);
});

test("ours start when Redis and the bucket answer, and are no root who may do things", () => {
  for (const name of ["api", "worker"] as const) {
    expect(services[name]).toMatchObject({
      depends_on: { redis: { condition: "service_healthy" }, s3: { condition: "service_healthy" } },
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
  }
  const asked = all.flatMap(([, { depends_on }]) => Object.keys(depends_on));
  const answering = all.filter(([, { healthcheck }]) => healthcheck !== undefined).map(([name]) => name);
  expect(answering).toEqual(expect.arrayContaining(asked));
});

test("a worker has longer to stop than it takes", () => {
  const { DRAIN_SECONDS } = readConfig(WorkerConfig, environmentOf("worker"));
  expect(parseInt(services.worker.stop_grace_period ?? "", 10)).toBeGreaterThan(DRAIN_SECONDS + 5);
});

test("every volume and every network that is named is declared, and none else", () => {
  const used = all.flatMap(([, service]) => service.volumes.map((volume) => volume.split(":")[0] ?? ""));
  expect([...new Set(used)].toSorted()).toEqual(Object.keys(volumes).toSorted());
  const joined = all.flatMap(([, service]) => service.networks);
  expect([...new Set(joined)].toSorted()).toEqual(Object.keys(networks).toSorted());
});

test("the README starts it by the command that its head names", () => {
  const [command] = /API_KEY=.* docker compose .*/.exec(readFileSync("infra/compose.yaml", "utf8")) ?? [];
  expect(command).toBeDefined();
  expect(readFileSync("README.md", "utf8")).toContain(command);
});

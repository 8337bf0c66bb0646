import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { Classification } from "../../shared/contracts/classification.ts";

const PROJECT = join(import.meta.dirname, "../..");
const dataDir = mkdtempSync(join(tmpdir(), "tresline-start-"));
const running: ChildProcess[] = [];
afterAll(async () => {
  for (const child of running.filter(({ exitCode }) => exitCode === null)) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  rmSync(dataDir, { recursive: true, force: true });
});

/** `npm start` as a process on `DATA_DIR`, and what it has said so far. */
function start(env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["infra/local/start.ts"], {
    cwd: PROJECT,
    env: { ...process.env, DATA_DIR: dataDir, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  const said = { out: "", err: "" };
  child.stdout.on("data", (data: Buffer) => (said.out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (said.err += data.toString()));
  const exited = once(child, "exit") as Promise<[code: number | null, signal: string | null]>;
  const ready = () =>
    vi.waitFor(() => expect(said.out).toContain("Ctrl-C stops everything."), { timeout: 30_000 });
  return { child, said, exited, ready };
}

/** The processes that were started on our data directory: by their environment, and Redis, which hides that, by where it works. */
function processesOnDataDir(): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Boolean);
  return pids.filter((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return (
        environment.includes(`DATA_DIR=${dataDir}\0`) || readlinkSync(`/proc/${pid}/cwd`).startsWith(dataDir)
      );
    } catch {
      return false;
    }
  });
}

/** Runs the curl line that was printed, as a person would paste it, in the project's directory. */
function pasteCurlLine(said: string): Classification {
  const line = /curl -s (?:.*\\\n)*.*/.exec(said)?.[0] ?? "false";
  const { stdout } = spawnSync("sh", ["-c", line], { cwd: PROJECT, encoding: "utf8" });
  return Classification.parse(JSON.parse(stdout));
}
const linkOf = (said: string, name: string) => new RegExp(`${name} +(\\S+)`).exec(said)?.[1] ?? "";

test("a first start prints what to do next, the line it prints labels a picture, and Ctrl-C ends all of it", async () => {
  const { child, said, exited, ready } = start();
  await ready();
  const url = linkOf(said.out, "API");
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await fetch(`${url}/docs`)).status).toBe(200);

  expect(statSync(join(dataDir, "api-key")).mode & 0o777).toBe(0o600);

  const classification = pasteCurlLine(said.out);
  expect(classification).toMatchObject({ status: "succeeded", model: "figures", device: "cpu" });
  expect(classification.predictions?.[0]?.label).toBe("bar_chart");
  expect(processesOnDataDir()).toHaveLength(4);

  child.kill("SIGINT");
  expect(await exited).toEqual([0, null]);
  expect(said.out).toContain("Stopped.");
  expect(said.err).toBe("");
  expect(processesOnDataDir()).toEqual([]);

  const again = start();
  await again.ready();
  const key = linkOf(again.said.out, "API key");
  expect(key).toBe(linkOf(said.out, "API key"));
  const answer = await fetch(`${linkOf(again.said.out, "API")}/v1/classifications/${classification.id}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(Classification.parse(await answer.json())).toEqual(classification);
  again.child.kill("SIGINT");
  expect(await again.exited).toEqual([0, null]);
});

test("without redis-server it says what to type and stops", async () => {
  const { said, exited } = start({ PATH: join(dataDir, "nothing-here") });
  expect(await exited).toEqual([1, null]);
  expect(said.err).toContain("redis-server is not installed");
  expect(said.err).toContain("sudo apt-get install redis-server");
  expect(said.err).not.toMatch(/^\s+at /m);
  expect(processesOnDataDir()).toEqual([]);
});

test("a port that is taken, or a variable that is wrong, is one clear line, and nothing is left running", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const taken = start({ PORT: String(port) });
  expect(await taken.exited).toEqual([1, null]);
  server.close();
  expect(taken.said.err.trimEnd().split("\n")).toEqual([
    expect.stringContaining(`Port ${port} of 127.0.0.1 is taken; set PORT`),
  ]);
  const wrong = start({ DEVICE: "gpu" });
  expect(await wrong.exited).toEqual([1, null]);
  expect(wrong.said.err).toBe('DEVICE must be one of cpu, cuda, webgpu (it is "gpu").\n');
  expect(processesOnDataDir()).toEqual([]);
});

test("a model that is not there is one clear line too", async () => {
  const { said, exited } = start({ MODEL: "nobody_built_it" });
  expect(await exited).toEqual([1, null]);
  expect(said.err.trimEnd().split("\n")).toEqual([expect.stringContaining("nobody_built_it")]);
  expect(existsSync(join(dataDir, "redis", "url"))).toBe(false);
});

test("a second Ctrl-C ends it at once and leaves no process behind", async () => {
  const { ready, child, exited } = start();
  await ready();
  child.kill("SIGINT");
  child.kill("SIGINT");
  const [code] = await exited;
  expect([0, 130]).toContain(code);
  await expect.poll(processesOnDataDir, { timeout: 20_000 }).toEqual([]);
});

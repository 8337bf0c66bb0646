import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTresline } from "../../infra/local/tresline.ts";
import { demoSource, ensureDemoModel } from "../../worker/model/demo.ts";

const SAMPLE = join(demoSource("figures"), "samples/bar_chart_06.png");

let folder: string;
let home: string;
let env: Record<string, string | undefined>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tresline-telemetry-"));
  home = mkdtempSync(join(folder, "home-"));
  env = { ...process.env, HOME: home, TMPDIR: home, MODELS_DIR: join(folder, "models"), PORT: "0" };
  delete env["ORT_DISABLE_TELEMETRY"];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<number> {
  const child = spawn(process.execPath, args, { env: { ...env }, stdio: "ignore" });
  const [code] = (await once(child, "exit")) as [number];
  return code;
}

test("a worker leaves nothing in the home of its user, and so has nothing to send", async () => {
  const tresline = await startTresline({ DATA_DIR: join(folder, "data") }, env, () => {});
  await tresline.stop();
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});

test("neither does the doctor", async () => {
  expect(await run("worker/cli.ts", "doctor")).toBe(0);
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});

test("nor does a model that is tried on a picture", async () => {
  const model = ensureDemoModel("figures", join(folder, "models"));
  expect(await run("worker/model/cli.ts", "classify", model, SAMPLE)).toBe(0);
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});

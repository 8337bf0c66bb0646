import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MALFORMED_ARCHIVES } from "./malformed-archives.ts";
import { MALFORMED_LEGACY_FILES } from "./malformed-legacy-files.ts";
import { MALFORMED_NETWORKS } from "./malformed-networks.ts";
import { MALFORMED_PICKLES } from "./malformed-pickles.ts";
import { MALFORMED_SAFETENSORS } from "./malformed-safetensors.ts";
import { tresline } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "tresline-malformed-"));
beforeAll(() => mkdirSync(join(root, "out")));
afterAll(() => rmSync(root, { recursive: true }));

const MALFORMED = [
  ...MALFORMED_SAFETENSORS,
  ...MALFORMED_NETWORKS,
  ...MALFORMED_ARCHIVES,
  ...MALFORMED_PICKLES,
  ...MALFORMED_LEGACY_FILES,
];

test("there are at least sixty malformed checkpoints, each under its own name", () => {
  expect(new Set(MALFORMED.map(([fault]) => fault)).size).toBe(MALFORMED.length);
  expect(MALFORMED.length).toBeGreaterThanOrEqual(60);
});

test.each(MALFORMED)(
  "a checkpoint that %s ends in one line naming it and the fault, and nothing is written",
  async (_fault, bytes, message) => {
    const path = join(root, "checkpoint");
    writeFileSync(path, bytes);
    const { code, out, err } = await tresline(
      "build",
      "--checkpoint",
      path,
      "--out",
      join(root, "out/model"),
    );
    expect(err).toMatch(message);
    expect(err).toContain(path);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect([code, out, readdirSync(join(root, "out"))]).toEqual([2, "", []]);
  },
);

test("a path that is a folder, or nothing, ends in one clear line too", async () => {
  for (const path of [root, join(root, "nothing")]) {
    const { code, err } = await tresline("build", "--checkpoint", path, "--out", join(root, "out/model"));
    expect([code, err]).toEqual([2, expect.stringContaining(path)]);
  }
});

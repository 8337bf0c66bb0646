import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, inject, test } from "vitest";
import { ensureDemoModel } from "../../worker/model/demo.ts";
import type { Fault } from "../chaos/fault.ts";
import { planLoad } from "../chaos/plan-load.ts";
import { createRandom } from "../chaos/random.ts";
import { runSeed } from "../chaos/run-seed.ts";

const folder = mkdtempSync(join(tmpdir(), "tresline-chaos-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FAULTS: readonly Fault[] = [
  { kind: "api-killed", atMs: 1_500, lastsMs: 0, victim: "api-1" },
  { kind: "worker-killed", atMs: 2_500, lastsMs: 0, victim: "worker-1" },
  { kind: "s3-slow-down", atMs: 3_500, lastsMs: 2_500, victim: undefined },
  { kind: "receiver-flaps", atMs: 4_000, lastsMs: 4_000, victim: undefined },
  { kind: "redis-killed", atMs: 5_000, lastsMs: 500, victim: undefined },
];

test(
  "while an API, a worker, Redis, S3 and the receiver fail, everything that was accepted ends, once",
  { timeout: 480_000 },
  async () => {
    const load = planLoad(createRandom(2026), { windowMs: 7_000, faults: FAULTS, share: 0.4 });
    const modelsDir = join(folder, "models");
    ensureDemoModel("figures", modelsDir);
    const { injected, counts, violations } = await runSeed(
      { number: 2026, faults: FAULTS, load },
      { ceph: inject("s3"), directory: join(folder, "seed"), modelsDir, tell: () => {} },
    );
    expect(violations).toEqual([]);
    expect(injected.map(({ refusal }) => refusal)).toEqual(FAULTS.map(() => undefined));
    expect(counts).toMatchObject({
      "requests sent again": expect.any(Number),
      "runs completed": expect.any(Number),
    });
    expect(counts["messages"]).toBeGreaterThan(10);
    expect(counts["objects with their sidecar"]).toBe(load.present.size + arriving(load));
  },
);

const arriving = ({ requests }: ReturnType<typeof planLoad>) =>
  requests.filter(({ kind }) => kind === "object").length;

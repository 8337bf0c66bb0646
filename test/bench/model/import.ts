// How long importing a full-size checkpoint takes and how much memory: node test/bench/model/import.ts
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_BUILD, buildModel } from "../../../worker/model/build.ts";
import { parseConfig } from "../../../worker/model/config.ts";
import { VARIANTS } from "../../../worker/model/tresnet/variants.ts";
import { writeCheckpoint } from "../../worker/model/write-checkpoint.ts";

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

const [checkpoint, out] = process.argv.slice(2);
if (checkpoint !== undefined && out !== undefined) measureOne(checkpoint, out);
else measureAll();

/** In a process of its own, so that its peak memory is the import's. */
function measureOne(path: string, target: string): void {
  const start = performance.now();
  buildModel(path, parseConfig({}, path), target, DEFAULT_BUILD);
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(JSON.stringify({ seconds, peakBytes: process.resourceUsage().maxRSS * 1024 }));
}

function measureAll(): void {
  const dir = mkdtempSync(join(tmpdir(), "tresline-bench-"));
  try {
    for (const variant of ["tresnet_m", "tresnet_xl"] as const) {
      const path = join(dir, `${variant}.safetensors`);
      writeCheckpoint(path, {
        ...VARIANTS[variant],
        numClasses: 1000,
        head: "linear",
        leakySlopes: { stem: 1e-2, blocks: 1e-3 },
      });
      const output = execFileSync(process.execPath, [import.meta.filename, path, join(dir, variant)], {
        encoding: "utf8",
      });
      const { seconds, peakBytes }: { seconds: number; peakBytes: number } = JSON.parse(output);
      const size = statSync(path).size;
      process.stdout.write(
        `${variant}: ${megabytes(size)} imported in ${seconds.toFixed(1)} s, peak memory ${megabytes(peakBytes)} (${(peakBytes / size).toFixed(2)} times the file)\n`,
      );
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}

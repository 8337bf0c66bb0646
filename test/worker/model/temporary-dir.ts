import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Makes an empty folder that is deleted when the test has finished. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tresline-pull-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Failure, Nvidia } from "./diagnosis.ts";

const run = promisify(execFile);
const MIB = 1 << 20;
/** nvidia-smi can hang for long on a card that is in trouble. */
const TIMEOUT_MS = 20_000;

/** Asks nvidia-smi, which comes with the driver, for the driver and the GPUs. */
export async function askNvidia(): Promise<Nvidia | Failure> {
  const columns = "driver_version,name,memory.total,memory.free";
  try {
    const { stdout } = await run("nvidia-smi", [`--query-gpu=${columns}`, "--format=csv,noheader,nounits"], {
      timeout: TIMEOUT_MS,
    });
    return parseGpus(stdout);
  } catch (error) {
    return { error: reason(error) };
  }
}

/** Reads nvidia-smi's lines: driver, name, memory and free memory in MiB, separated by commas. */
export function parseGpus(csv: string): Nvidia | Failure {
  const rows = csv
    .split("\n")
    .map((line) => line.split(",").map((cell) => cell.trim()))
    .filter((cells) => cells.length === 4);
  const driver = rows[0]?.[0];
  if (driver === undefined) return { error: "nvidia-smi lists no GPU" };
  const gpus = rows.map(([, name = "", memory, free]) => ({
    name,
    memory: Number(memory) * MIB,
    free_memory: Number(free) * MIB,
  }));
  return { driver, gpus };
}

function reason(error: unknown): string {
  const { code, killed, stdout } = error as NodeJS.ErrnoException & { killed?: boolean; stdout?: string };
  if (code === "ENOENT") return "nvidia-smi is not installed";
  if (killed) return `nvidia-smi did not answer within ${TIMEOUT_MS / 1000} s`;
  return `nvidia-smi failed: ${stdout?.split("\n")[0]?.trim() || String(error)}`;
}

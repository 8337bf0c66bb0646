import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Megabytes that a disk has: more than Redis writes in a seed. */
const SIZE_MB = 64;

/** A directory on a disk of its own that can be filled. */
export interface SmallDisk {
  path: string;
  /** Why it is none and cannot be filled; undefined when it can. */
  refusal: string | undefined;
  /** Takes all the room that is left. */
  fill: () => Promise<void>;
  /** Gives it back. */
  free: () => void;
  remove: () => Promise<void>;
}

/** Makes a directory and mounts a small tmpfs there, which needs root or a user namespace (`unshare -Urm make chaos`); without either it is a usual directory. */
export async function mountSmallDisk(path: string): Promise<SmallDisk> {
  mkdirSync(path, { recursive: true });
  const refusal = await run("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MB}m`, "tmpfs", path]).then(
    () => undefined,
    (error: unknown) => `mount was refused: ${error instanceof Error ? error.message.trim() : String(error)}`,
  );
  const ballast = join(path, "ballast");
  return {
    path,
    refusal,
    async fill() {
      if (refusal !== undefined) throw new Error(`${path} is no disk of its own. This is a bug.`);
      const file = await open(ballast, "a");
      try {
        for (const size of [1 << 20, 1 << 12])
          for (;;) if (!(await hadRoom(() => file.write(Buffer.alloc(size))))) break;
      } finally {
        await file.close();
      }
    },
    free: () => rmSync(ballast, { force: true }),
    async remove() {
      if (refusal === undefined) await run("umount", ["--lazy", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Whether all of it was written; a short write is the end of the room, too. */
async function hadRoom(write: () => Promise<{ bytesWritten: number; buffer: Buffer }>): Promise<boolean> {
  try {
    const { bytesWritten, buffer } = await write();
    return bytesWritten === buffer.length;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}

import { rmSync, writeFileSync } from "node:fs";
import { ConfigError } from "../shared/config.ts";

/** Milliseconds after which the file is written anew, so that its age tells whether the process still turns. */
const WRITE_EVERY_MS = 5_000;

/** Tells probes that have no address to ask whether a worker takes jobs: by a file that is there and new. */
export interface ReadyFile {
  /** Writes the file, and again every five seconds. Throws ConfigError when it cannot be written. */
  keep: () => void;
  /** Removes it, also the one of a process that was killed. */
  remove: () => void;
}

/** The ready file at a path, of which nothing is touched yet; without a path it is none. */
export function openReadyFile(path: string | undefined): ReadyFile {
  if (path === undefined) return { keep: () => {}, remove: () => {} };
  let timer: NodeJS.Timeout | undefined;
  const write = () => writeFileSync(path, `${new Date().toISOString()}\n`);
  return {
    keep() {
      try {
        write();
      } catch (error) {
        throw new ConfigError(`READY_FILE cannot be written: ${String(error)}.`, { cause: error });
      }
      timer = setInterval(write, WRITE_EVERY_MS);
    },
    remove() {
      clearInterval(timer);
      rmSync(path, { force: true });
    },
  };
}

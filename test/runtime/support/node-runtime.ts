import { spawn } from "node:child_process";
import { once } from "node:events";
import type { StartRuntime } from "./runtime.ts";

/** Starts `api/node.ts` as a process. */
export const startNodeRuntime: StartRuntime = async (env) => {
  const began = performance.now();
  const child = spawn(process.execPath, ["api/node.ts"], {
    env: { ...env, PORT: "0" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  const [{ url }] = (await once(child, "message")) as [{ url: string }];
  return {
    url,
    coldStartMs: performance.now() - began,
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
};

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../../infra/bundle/bundle.ts";
import { answerByFunction } from "./function-url.ts";
import { startLambdaService } from "./lambda-service.ts";
import type { Outcome } from "./lambda-service.ts";
import type { Runtime, StartRuntime } from "./runtime.ts";

/** How many execution environments there are; each handles one invocation at a time. */
const ENVIRONMENTS = 2;

/** The bundle on a Lambda of this machine's own. */
export interface LambdaRuntime extends Runtime {
  /** Invokes the function with any event. */
  invoke: (event: unknown) => Promise<Outcome>;
}

/** Bundles `api/lambda.ts` and starts execution environments and a function URL for it. */
export const startLambdaRuntime: StartRuntime<LambdaRuntime> = async (env) => {
  const root = mkdtempSync(join(tmpdir(), "tresline-lambda-"));
  await bundle("lambda", root);
  const service = await startLambdaService();
  const began = performance.now();
  const children = Array.from({ length: ENVIRONMENTS }, () =>
    spawn(process.execPath, [join(import.meta.dirname, "lambda-bootstrap.ts")], {
      env: {
        ...env,
        AWS_LAMBDA_RUNTIME_API: service.address,
        LAMBDA_TASK_ROOT: root,
        _HANDLER: "index.handler",
      },
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    }),
  );
  await service.ready;
  const coldStartMs = performance.now() - began;
  const server = createServer(
    (request, response) => void answerByFunction(service, request, response),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    coldStartMs,
    invoke: service.invoke,
    async stop() {
      server.closeAllConnections();
      server.close();
      const exits = children.map((child) => once(child, "exit"));
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(exits);
      await service.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
};

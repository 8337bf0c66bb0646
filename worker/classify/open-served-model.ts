import { join } from "node:path";
import type { Logger } from "../../shared/logger.ts";
import type { WorkerConfig } from "../config.ts";
import { DEMO_MODELS, ensureDemoModel } from "../model/demo.ts";
import type { DemoModel } from "../model/demo.ts";
import { openModelDir } from "../model/model-dir.ts";
import type { ModelDir } from "../model/model-dir.ts";
import { ModelError } from "../model/model-error.ts";

/** Opens the model a worker serves, `MODEL` under `MODELS_DIR`; a demo model is built there first. Throws ModelError when it cannot be served. */
export function openServedModel({ MODEL, MODELS_DIR }: WorkerConfig, logger: Logger): ModelDir {
  if (isDemo(MODEL)) {
    logger.info({ model: MODEL }, "checking the demo model; it is built on first use");
    return openModelDir(ensureDemoModel(MODEL, MODELS_DIR));
  }
  const opened = openModelDir(join(MODELS_DIR, MODEL));
  if (opened.manifest.input.name !== "image")
    throw new ModelError(
      `${opened.dir}: it takes floating-point input; build it with --input uint8 to serve it.`,
    );
  return opened;
}

const isDemo = (name: string): name is DemoModel => (DEMO_MODELS as readonly string[]).includes(name);

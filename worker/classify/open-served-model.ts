import { join } from "node:path";
import type { Logger } from "../../shared/logger.ts";
import { openStorage } from "../../shared/storage/open-storage.ts";
import type { WorkerConfig } from "../config.ts";
import { DEMO_MODELS, ensureDemoModel } from "../model/demo.ts";
import type { DemoModel } from "../model/demo.ts";
import { openModelDir } from "../model/model-dir.ts";
import type { ModelDir } from "../model/model-dir.ts";
import { ModelError } from "../model/model-error.ts";
import { fetchModel } from "../model/repository/fetch-model.ts";

/** The model a worker serves, and the name that clients ask for it by. */
export interface ServedModelDir extends ModelDir {
  readonly name: string;
}

/**
 * Opens the model a worker serves: a demo model, built under `MODELS_DIR` first; or what `MODEL` means in the repository `MODELS_URL`, kept
 * under `MODELS_DIR`; or `MODELS_DIR/MODEL`. Throws ModelError when it cannot be served.
 */
export async function openServedModel(config: WorkerConfig, logger: Logger): Promise<ServedModelDir> {
  const opened = await open(config, logger);
  if (opened.manifest.input.name !== "image")
    throw new ModelError(
      `${opened.dir}: it takes floating-point input; build it with --input uint8 to serve it.`,
    );
  return { ...opened, name: config.MODEL.replace(/@.*/, "") };
}

async function open(config: WorkerConfig, logger: Logger): Promise<ModelDir> {
  const { MODEL, MODELS_DIR, MODELS_URL } = config;
  if (isDemo(MODEL)) {
    logger.info({ model: MODEL }, "checking the demo model; it is built on first use");
    return openModelDir(ensureDemoModel(MODEL, MODELS_DIR));
  }
  if (MODELS_URL !== undefined) return openFetched({ ...config, MODELS_URL }, logger);
  if (MODEL.includes("@"))
    throw new ModelError(`${MODEL}: a digest is looked up in a repository; set MODELS_URL.`);
  return openModelDir(join(MODELS_DIR, MODEL));
}

async function openFetched(
  { MODEL, MODELS_DIR, MODELS_URL, S3_FORCE_PATH_STYLE }: WorkerConfig & { MODELS_URL: string },
  logger: Logger,
): Promise<ModelDir> {
  logger.info({ model: MODEL }, "asking the repository for the model");
  const repository = await openStorage(MODELS_URL, { forcePathStyle: S3_FORCE_PATH_STYLE });
  try {
    return await fetchModel(repository, MODEL, MODELS_DIR, (err) =>
      logger.warn(
        { err, model: MODEL },
        "the repository cannot be asked; serving the copy of its last answer",
      ),
    );
  } finally {
    await repository.close();
  }
}

const isDemo = (name: string): name is DemoModel => (DEMO_MODELS as readonly string[]).includes(name);

import { parseArgs } from "node:util";
import { openStorage } from "../../../shared/storage/open-storage.ts";
import { ModelError } from "../model-error.ts";
import { publishModel } from "../repository/repository.ts";
import type { Command } from "./command.ts";

/** `tresline-model publish`. */
export const publish: Command = {
  help: `Usage: tresline-model publish DIR REPOSITORY [--alias NAME]

Checks a model directory and copies it into a repository, file:DIRECTORY or
s3://BUCKET/PREFIX, where models lie under their digests: models/NAME/DIGEST/.
The alias, by default the model's name, means this version from now on; earlier
ones stay. Workers whose MODELS_URL is the repository serve it when they start.

  --alias NAME   what the version is to be called

S3 is configured as for STORAGE_URL: by the AWS SDK's own variables and
S3_FORCE_PATH_STYLE.
`,
  async run(args, { out, env }) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { alias: { type: "string" } },
    });
    const [dir, repository, ...more] = positionals;
    if (dir === undefined || repository === undefined || more.length > 0)
      throw new ModelError(
        "publish needs a model directory and a repository; see tresline-model publish --help.",
      );
    const { name, digest } = await publishTo(repository, dir, values.alias, env["S3_FORCE_PATH_STYLE"]);
    out(`${values.alias ?? name} is ${name}@${digest}\n`);
  },
};

async function publishTo(url: string, dir: string, alias: string | undefined, pathStyle = "false") {
  try {
    const storage = await openStorage(url, { forcePathStyle: pathStyle === "true" });
    try {
      return await publishModel(storage, dir, alias);
    } finally {
      await storage.close();
    }
  } catch (error) {
    if (error instanceof ModelError || !(error instanceof Error)) throw error;
    throw new ModelError(`${url}: ${error.message}`, { cause: error });
  }
}

import { parseArgs } from "node:util";
import { ModelError } from "../model-error.ts";
import { directoryStore } from "../repository/directory-store.ts";
import { publishModel } from "../repository/repository.ts";
import type { Command } from "./command.ts";

/** `tresline-model publish`. */
export const publish: Command = {
  help: `Usage: tresline-model publish DIR REPOSITORY [--alias NAME]

Checks a model directory and copies it into a repository, a directory where
models lie under their digests: models/NAME/DIGEST/. The alias, by default the
model's name, means this version from now on; earlier ones stay.

  --alias NAME   what the version is to be called
`,
  async run(args, { out }) {
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
    const { name, digest } = await publishModel(directoryStore(repository), dir, values.alias);
    out(`${values.alias ?? name} is ${name}@${digest}\n`);
  },
};

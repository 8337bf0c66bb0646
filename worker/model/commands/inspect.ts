import { parseArgs } from "node:util";
import { openModelDir } from "../model-dir.ts";
import { ModelError } from "../model-error.ts";
import type { Command } from "./command.ts";
import { describeModel } from "./describe-model.ts";

/** `tresline-model inspect`. */
export const inspect: Command = {
  help: `Usage: tresline-model inspect DIR [--json]

Checks a model directory's files against its digest and says what it holds:
layers, parameters, multiply-accumulates (MACs), preprocessing, digest.

  --json   model.json as it is
`,
  run(args, { out }) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: "boolean" } },
    });
    const [dir, ...more] = positionals;
    if (dir === undefined || more.length > 0)
      throw new ModelError("inspect needs one model directory; see tresline-model inspect --help.");
    const { manifest } = openModelDir(dir);
    out(values.json ? `${JSON.stringify(manifest, null, 1)}\n` : describeModel(manifest));
  },
};

import { parseArgs } from "node:util";
import { rank } from "../../classify/rank.ts";
import { openModelDir } from "../model-dir.ts";
import { ModelError } from "../model-error.ts";
import { scoreFiles } from "../score-files.ts";
import type { Command } from "./command.ts";
import { parseDevice } from "./parse-device.ts";

/** `tresline-model classify`. */
export const classify: Command = {
  help: `Usage: tresline-model classify DIR FILE…

Labels image files with a model directory, in this process: no queue, no server.
A file that cannot be labelled says why, and the exit code is 1 at the end.

  --top-k K      labels a file (5), no more than the model was built to tell
  --device NAME  cpu (default), cuda or webgpu
  --json         a JSON object a line, with file and predictions or error
`,
  async run(args, { out }) {
    const options = {
      "top-k": { type: "string", default: "5" },
      device: { type: "string", default: "cpu" },
      json: { type: "boolean", default: false },
    } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [dir, ...files] = positionals;
    if (dir === undefined || files.length === 0)
      throw new ModelError(
        "classify needs a model directory and image files; see tresline-model classify --help.",
      );
    const topK = Number(values["top-k"]);
    if (!Number.isInteger(topK) || topK < 1)
      throw new ModelError(`--top-k must be a positive number, not ${values["top-k"]}.`);
    const model = openModelDir(dir);
    let failures = 0;
    for await (const one of scoreFiles(model, files, parseDevice(values.device), "top")) {
      const result =
        "error" in one
          ? { file: one.path, error: one.error }
          : { file: one.path, predictions: rank(one.scores, model.labels, topK, 0) };
      if ("error" in one) failures++;
      out(values.json ? `${JSON.stringify(result)}\n` : describe(result));
    }
    return failures > 0 ? 1 : 0;
  },
};

function describe(
  result: { file: string; predictions: ReturnType<typeof rank> } | { file: string; error: string },
): string {
  if ("error" in result) return `${result.file}\n  ${result.error}\n`;
  const lines = result.predictions.map(({ label, score }) => `  ${score.toFixed(4)}  ${label}\n`);
  return `${result.file}\n${lines.join("")}`;
}

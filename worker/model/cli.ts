#!/usr/bin/env node
import { parseArgs } from "node:util";
import { buildModel } from "./build.ts";
import { errorCode } from "./error-code.ts";
import { ModelError } from "./model-error.ts";

const HELP = `Usage: tresline-model build --checkpoint FILE --config FILE --out DIR

Builds a model directory (model.onnx, labels.json, model.json) that Tresline
serves, from a TResNet checkpoint and a JSON config.

  --checkpoint FILE   weights, .safetensors
  --config FILE       layers, classes, labels and preprocessing
  --out DIR           the model directory; its name becomes the model's
  --input KIND        uint8 (default): bytes [N,H,W,3], as Tresline serves it
                      float: [N,3,H,W] in 0 to 1, of any height and width
  --help              this text
`;

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!isUsersFault(error)) throw error;
  process.stderr.write(`tresline-model: ${error.message}\n`);
  process.exitCode = 2;
}

function main(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      checkpoint: { type: "string" },
      config: { type: "string" },
      out: { type: "string" },
      input: { type: "string", default: "uint8" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const { checkpoint, config, out, input } = values;
  if (positionals.join(" ") !== "build") throw new ModelError("the command must be build; see --help.");
  if (!checkpoint || !config || !out)
    throw new ModelError("build needs --checkpoint, --config and --out; see --help.");
  if (input !== "uint8" && input !== "float")
    throw new ModelError(`--input must be uint8 or float, not ${input}.`);
  const { name, digest, parameters } = buildModel({ checkpoint, config, out, input });
  process.stdout.write(`${out}: ${name}, ${parameters} parameters, ${digest}\n`);
}

function isUsersFault(error: unknown): error is Error {
  if (error instanceof ModelError) return true;
  const isSystemError = error instanceof Error && "syscall" in error;
  return isSystemError || (errorCode(error)?.startsWith("ERR_PARSE_ARGS") ?? false);
}

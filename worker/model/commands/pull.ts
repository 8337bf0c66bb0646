import { existsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { buildModel } from "../build.ts";
import { parseConfig, readConfig } from "../config.ts";
import type { ModelConfig } from "../config.ts";
import { sha256File } from "../digest.ts";
import { download } from "../hub/download.ts";
import { openDispatcher } from "../hub/request-file.ts";
import { ModelError } from "../model-error.ts";
import { zooCard } from "../zoo-card.ts";
import { zooConfig, zooModel } from "../zoo.ts";
import { BUILD_FLAGS, BUILD_HELP, parseBuildOptions } from "./build-options.ts";
import type { CliIo, Command } from "./command.ts";
import { describeModel } from "./describe-model.ts";

/** `tresline-model pull`. */
export const pull: Command = {
  help: `Usage: tresline-model pull NAME [--out DIR]
       tresline-model pull --from URL|FILE --out DIR [--config FILE]

Downloads a published checkpoint and builds a model directory from it. What is
broken off goes on where it stopped when the command is run again.

  NAME                a model of tresline-model list
  --from URL|FILE     take the checkpoint from there
  --sha256 HEX        refuse a checkpoint whose sha256 does not begin so
  --config FILE       labels and preprocessing, as for build
  --out DIR           the model directory; MODELS_DIR/NAME (data/models/NAME)
                      when it is not given
${BUILD_HELP}
HF_ENDPOINT names a mirror of huggingface.co; HTTPS_PROXY, HTTP_PROXY and
NO_PROXY are honoured. Downloads are kept in .downloads beside the model.
`,
  async run(args, io) {
    const options = {
      from: { type: "string" },
      sha256: { type: "string" },
      config: { type: "string" },
      out: { type: "string" },
      ...BUILD_FLAGS,
    } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const { from, sha256, config, out, ...rest } = values;
    const [name, ...more] = positionals;
    if (more.length > 0 || (name === undefined && from === undefined))
      throw new ModelError("pull needs one NAME or --from; see tresline-model pull --help.");
    if (sha256 !== undefined && !/^[0-9a-f]{8,64}$/.test(sha256))
      throw new ModelError("--sha256 must be 8 to 64 hex digits in lower case.");
    const target = out ?? (name && join(io.env["MODELS_DIR"] ?? "data/models", name));
    if (!target) throw new ModelError("pull --from needs --out.");
    const buildOptions = parseBuildOptions(rest);
    const source = from ?? hubUrl(zooModel(name ?? "").name, io);
    const settings = settingsOf(name, config, source);
    const checkpoint = /^https?:\/\//.test(source)
      ? await fetched(source, target, sha256, io)
      : checkedFile(source, sha256);
    const manifest = buildModel(checkpoint, settings, target, buildOptions);
    if (name !== undefined) writeFileSync(join(target, "MODEL_CARD.md"), zooCard(zooModel(name), manifest));
    io.out(`${target}\n${describeModel(manifest)}`);
  },
};

const hubUrl = (name: string, { env }: CliIo) =>
  `${(env["HF_ENDPOINT"] ?? "https://huggingface.co").replace(/\/+$/, "")}/timm/${name}/resolve/main/model.safetensors`;

function settingsOf(name: string | undefined, config: string | undefined, source: string): ModelConfig {
  if (config !== undefined) return readConfig(config);
  return name === undefined ? parseConfig({}, source) : zooConfig(zooModel(name));
}

/** Downloads a checkpoint beside the model directory, with a progress bar where there is a terminal. */
async function fetched(
  url: string,
  out: string,
  sha256: string | undefined,
  { terminal, env }: CliIo,
): Promise<string> {
  if (!URL.canParse(url)) throw new ModelError(`${url}: not a URL.`);
  const path = new URL(url).pathname;
  const target = join(dirname(out), ".downloads", `${basename(out)}-${basename(path)}`);
  const bar =
    terminal &&
    new SingleBar({
      format: "{bar} {percentage}% | {value} of {total} MB | {eta_formatted}",
      stream: terminal,
    });
  const dispatcher = openDispatcher(env);
  bar?.start(1, 0);
  try {
    await download({
      url,
      target,
      dispatcher,
      sha256: sha256 ?? torchHubHash(path),
      retryDelayMs: 500,
      onProgress(done, total) {
        if (total !== undefined) bar?.setTotal(Math.ceil(total / 1e6));
        bar?.update(Math.round(done / 1e6));
      },
    });
  } finally {
    bar?.stop();
    await dispatcher.close();
  }
  return target;
}

/** torch hub's convention: NAME-HHHHHHHH.pth ends in the first digits of its sha256. */
const torchHubHash = (path: string) => /-([0-9a-f]{8,64})\.pth$/.exec(path)?.[1];

function checkedFile(path: string, sha256: string | undefined): string {
  if (!existsSync(path)) throw new ModelError(`${path}: no such file.`);
  const actual = sha256 === undefined ? "" : sha256File(path).slice("sha256:".length);
  if (sha256 !== undefined && !actual.startsWith(sha256))
    throw new ModelError(`${path}: its sha256 is ${actual}, ${sha256} expected.`);
  return path;
}

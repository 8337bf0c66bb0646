import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { readAnnotations } from "../evaluate/annotations.ts";
import type { AnnotatedFile } from "../evaluate/annotations.ts";
import { wordNetIds } from "../evaluate/class-ids.ts";
import { confusionSvg } from "../evaluate/confusion-svg.ts";
import { readImageFolder } from "../evaluate/image-folder.ts";
import type { LabelledFile } from "../evaluate/image-folder.ts";
import { multiLabelReport } from "../evaluate/multi-label.ts";
import { SingleLabelTally } from "../evaluate/single-label.ts";
import { openModelDir } from "../model-dir.ts";
import type { ModelDir } from "../model-dir.ts";
import { ModelError } from "../model-error.ts";
import { scoreFiles } from "../score-files.ts";
import type { CliIo, Command } from "./command.ts";
import { parseDevice } from "./parse-device.ts";

/** `tresline-model evaluate`. */
export const evaluate: Command = {
  help: `Usage: tresline-model evaluate DIR FOLDER [--annotations FILE]

Measures a model directory on labelled images. FOLDER has a subfolder a class,
named after its label, WordNet id or number: top-1, top-5 and each class's
accuracy. With --annotations, images show several classes: mean average
precision.

  --annotations FILE  COCO's instances .json, or .csv: file,label;label;…
  --json FILE         write the whole report
  --confusion FILE    write the confusion matrix as a picture, SVG
  --device NAME       cpu (default), cuda or webgpu
`,
  async run(args, io) {
    const options = {
      annotations: { type: "string" },
      json: { type: "string" },
      confusion: { type: "string" },
      device: { type: "string", default: "cpu" },
    } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [dir, folder, ...more] = positionals;
    if (dir === undefined || folder === undefined || more.length > 0)
      throw new ModelError(
        "evaluate needs a model directory and a folder of images; see tresline-model evaluate --help.",
      );
    if (values.annotations !== undefined && values.confusion !== undefined)
      throw new ModelError("--confusion is for images of one class each, not for --annotations.");
    const task = { model: openModelDir(dir), device: parseDevice(values.device), io };
    const { report, failed } =
      values.annotations === undefined
        ? await singleLabel(task, folder, values.confusion)
        : await multiLabel(task, readAnnotations(values.annotations, folder, task.model.labels));
    if (values.json !== undefined)
      writeFileSync(
        values.json,
        `${JSON.stringify({ digest: task.model.manifest.digest, ...report, failed }, null, 1)}\n`,
      );
    for (const { path, error } of failed) io.out(`not scored: ${path}: ${error}\n`);
    return failed.length > 0 ? 1 : 0;
  },
};

interface Task {
  readonly model: ModelDir;
  readonly device: string;
  readonly io: CliIo;
}

interface Failure {
  readonly path: string;
  readonly error: string;
}

async function singleLabel(task: Task, folder: string, svgPath: string | undefined) {
  const { model, io } = task;
  const tally = new SingleLabelTally(model.labels);
  const files = readImageFolder(folder, model.labels, wordNetIds(model.labels));
  const failed = await scoreAll(task, files, ({ label }, scores) => tally.add(label, scores));
  const report = tally.report();
  const labels = report.per_class.map(({ label }) => label);
  if (svgPath !== undefined) writeFileSync(svgPath, confusionSvg(labels, report.confusion));
  for (const { label, images, top1 } of report.per_class) io.out(`${percent(top1)}  ${label} (${images})\n`);
  io.out(`${percent(report.top1)}  top-1 of ${report.images} images\n${percent(report.top5)}  top-5\n`);
  return { report, failed };
}

async function multiLabel(task: Task, files: AnnotatedFile[]) {
  const answers: { scores: Float32Array; labels: ReadonlySet<number> }[] = [];
  const failed = await scoreAll(task, files, ({ labels }, scores) => answers.push({ scores, labels }));
  const report = multiLabelReport(answers, task.model.labels);
  for (const { label, images, average_precision } of report.per_class)
    task.io.out(`${percent(average_precision)}  ${label} (${images})\n`);
  task.io.out(
    `${percent(report.mean_average_precision)}  mean average precision of ${report.images} images\n`,
  );
  return { report, failed };
}

/** Scores the files with a progress bar where there is a terminal; gives those that could not be. */
async function scoreAll<File extends LabelledFile | AnnotatedFile>(
  { model, device, io }: Task,
  files: readonly File[],
  add: (file: File, scores: Float32Array) => void,
): Promise<Failure[]> {
  const bar =
    io.terminal &&
    new SingleBar({ format: "{bar} {value} of {total} images | {eta_formatted}", stream: io.terminal });
  const failed: Failure[] = [];
  bar?.start(files.length, 0);
  let index = 0;
  try {
    for await (const one of scoreFiles(
      model,
      files.map(({ path }) => path),
      device,
      "scores",
    )) {
      const file = files[index++]!;
      if ("error" in one) failed.push(one);
      else add(file, one.scores);
      bar?.increment();
    }
  } finally {
    bar?.stop();
  }
  return failed;
}

const percent = (share: number) => `${(100 * share).toFixed(2).padStart(6)} %`;

import type { CudaLibraries, Diagnosis, Failure, Model, Nvidia, Probe } from "./diagnosis.ts";

const WIDTH = 80;
const INDENT = 16;
const GIB = 1 << 30;

/** A diagnosis as text for a terminal of 80 columns; it ends in a newline. */
export function printDiagnosis(found: Diagnosis): string {
  const { machine, onnxruntime, sharp, model, probe } = found;
  const table = probe.rungs.map(({ images, median_ms, images_per_second }) =>
    [`${images}`, `${median_ms.toFixed(2)} ms`, `${images_per_second} images/s`]
      .map((cell, column) => cell.padStart([INDENT + 4, 14, 20][column] ?? 0))
      .join(""),
  );
  return [
    row("Device", found.device),
    row("Node", found.node),
    row("ONNX Runtime", onnxruntime ? `${onnxruntime.version}: ${providers(onnxruntime.providers)}` : "–"),
    row("CUDA provider", cudaLine(found.cuda)),
    row("NVIDIA", nvidiaLine(found.nvidia)),
    row("Memory", `${gib(machine.available_memory)} of ${gib(machine.memory)} GiB free`),
    row("Decoding", decoding(sharp, machine)),
    ...modelRows(model),
    row("Probe", probe.error ?? probeLine(probe)),
    ...table,
    "",
    wrap(found.verdict, 0),
    "",
  ].join("\n");
}

const row = (label: string, text: string) => wrap(label.padEnd(INDENT) + text, INDENT);

/** The digest fills a line of its own. */
function modelRows(model: Model | Failure): string[] {
  if ("error" in model) return [row("Model", model.error)];
  return [
    row("Model", `${model.name}, ${model.precision}, ${model.size.join(" × ")}`),
    `Digest   ${model.digest}`,
  ];
}

function providers(all: { name: string; bundled: boolean }[]): string {
  const names = (bundled: boolean) => all.filter((each) => each.bundled === bundled).map(({ name }) => name);
  const others = names(false);
  const needs = others.length > 0 ? `; ${others.join(" and ")} with a library of their own` : "";
  return `${names(true).join(" and ")} built in${needs}`;
}

function cudaLine({ provider, version, missing }: CudaLibraries): string {
  if (provider === null) return "not installed";
  const needs = missing.length > 0 ? `not found: ${missing.join(", ")}` : "all its libraries found";
  return `installed, for CUDA ${version}; ${needs}`;
}

function nvidiaLine(nvidia: Nvidia | Failure): string {
  if ("error" in nvidia) return nvidia.error;
  const gpus = nvidia.gpus.map(
    ({ name, memory, free_memory }) => `${name}, ${gib(free_memory)} of ${gib(memory)} GiB free`,
  );
  return `driver ${nvidia.driver}; ${gpus.join("; ")}`;
}

function decoding({ version, libvips, error }: Diagnosis["sharp"], machine: Diagnosis["machine"]): string {
  const { cores, thread_pool_size: threads } = machine;
  const advice = threads < cores ? ` (set UV_THREADPOOL_SIZE=${cores} to use all cores)` : "";
  const library = libvips === null ? "" : ` with libvips ${libvips}`;
  return (
    error ?? `sharp ${version}${library}, on ${count(threads, "thread")} for ${count(cores, "core")}${advice}`
  );
}

const probeLine = ({ open_ms }: Probe) =>
  open_ms === null ? "not run" : `opened in ${Math.round(open_ms)} ms; the median of up to 5 runs:`;

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;

const gib = (bytes: number) => (bytes / GIB).toFixed(1);

/** Breaks a line at spaces; the ones that follow begin after `indent` spaces. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > WIDTH) {
    const space = rest.lastIndexOf(" ", WIDTH);
    if (space <= indent) break;
    lines.push(rest.slice(0, space));
    rest = " ".repeat(indent) + rest.slice(space + 1);
  }
  return [...lines, rest].join("\n");
}

/** What ONNX Runtime writes only to its log, or between C++ signatures: the part that tells a person what is wrong. */
const TELLING = [
  /with error: (.+)/,
  /(CUDA failure \d+: [^;\n]+)/,
  /(CUDNN failure \d+: [^;\n]+)/,
  /(Failed to get a WebGPU adapter: [^\n]+)/,
  /(Couldn't load Vulkan: [^\n]+)/,
  /^\w*(?:Error|ERR_\w+)[^:\n]*: (.+)$/m,
];

/** Why a session could not be opened or run: from the error it threw and from what ONNX Runtime logged, in one line, with file names for paths, without a full stop. */
export function reasonOf(message: string, log: string): string {
  const text = `${message}\n${log}`;
  const told = TELLING.flatMap((pattern) => pattern.exec(text)?.[1] ?? []).map((part) => part.trim());
  const reason = told.length > 0 ? told.join("; ") : (message.split("\n")[0] ?? "");
  return reason.replaceAll(/(?<=^|\s)\/\S+\/(?=\S)/g, "").replace(/\.$/, "");
}

import { execFile, spawn } from "node:child_process";

/** How a run of the command line ended. */
export interface Ended {
  code: number;
  out: string;
  err: string;
}

const MAX_BYTES = 64 * 1024 * 1024;

/** Runs the command line as a process, with these variables in its environment and this text as its standard input. */
export function runTresline(
  args: readonly string[],
  env: Record<string, string> = {},
  input = "",
): Promise<Ended> {
  return new Promise((resolve) => {
    const { TRESLINE_API_KEY: _, TRESLINE_URL: __, ...inherited } = process.env;
    const child = execFile(
      process.execPath,
      ["api/cli/tresline.ts", ...args],
      { env: { ...inherited, ...env }, maxBuffer: MAX_BYTES },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    );
    child.stdin?.end(input);
  });
}

/** The same, stopped by Ctrl-C as soon as its standard error tells of progress. */
export function runAndInterrupt(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, ["api/cli/tresline.ts", ...args], {
    env: { ...process.env, ...env },
  });
  let [out, err] = ["", ""];
  let isStopped = false;
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => {
    err += piece.toString();
    if (!isStopped && / of \d+ (images|jobs)/.test(err)) isStopped = child.kill("SIGINT");
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code: code ?? -1, out, err })));
}

/** The lines of a text that ends in a newline. */
export const linesOf = (text: string): string[] => text.trimEnd().split("\n");

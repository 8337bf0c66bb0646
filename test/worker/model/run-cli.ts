import { runCli } from "../../../worker/model/run-cli.ts";

/** Runs `tresline-model` in this process; gives its exit code and what it wrote. */
export const tresline = (...args: string[]) => treslineWith({}, ...args);

/** The same in an environment. */
export async function treslineWith(env: Record<string, string>, ...args: string[]) {
  let [out, err] = ["", ""];
  const io = { out: (text: string) => void (out += text), terminal: undefined, env };
  const code = await runCli(args, io, (text) => void (err += text));
  return { code, out, err };
}

import { runCli } from "../../../worker/model/run-cli.ts";

/** Runs `tresline-model` in this process; gives its exit code and what it wrote. */
export async function tresline(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const io = { out: (text: string) => void (out += text), terminal: undefined, env: {} };
  const code = await runCli(args, io, (text) => void (err += text));
  return { code, out, err };
}

#!/usr/bin/env node
import { runCli } from "./run-cli.ts";

const io = {
  out: (text: string) => void process.stdout.write(text),
  terminal: process.stderr.isTTY ? process.stderr : undefined,
  env: process.env,
};
process.exitCode = await runCli(process.argv.slice(2), io, (text) => void process.stderr.write(text));

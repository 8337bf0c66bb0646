#!/usr/bin/env node
import { runCli } from "./run-cli.ts";

// ONNX Runtime for Linux would otherwise keep a device id in ~/.cache and a database of what it means to send home.
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";

const io = {
  out: (text: string) => void process.stdout.write(text),
  terminal: process.stderr.isTTY ? process.stderr : undefined,
  env: process.env,
};
process.exitCode = await runCli(process.argv.slice(2), io, (text) => void process.stderr.write(text));

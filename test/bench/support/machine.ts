import { availableParallelism, cpus, totalmem } from "node:os";
import { runtimeInfo } from "../../../worker/engine/session.ts";

/** What a benchmark ran on, without anything that names the machine. */
export interface Machine {
  cpu: string;
  cores: number;
  memory_gib: number;
  platform: string;
  node: string;
  onnxruntime: string;
}

/** Looks at this machine, as far as this process may use it. */
export const describeMachine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memory_gib: Math.round(Math.min(process.constrainedMemory() || Infinity, totalmem()) / 2 ** 30),
  platform: `${process.platform}-${process.arch}`,
  node: process.versions.node,
  onnxruntime: runtimeInfo().version,
});

/** The machine in one line. */
export const machineLine = ({ cpu, cores, memory_gib, platform, node, onnxruntime }: Machine): string =>
  `${cores} cores of ${cpu}, ${memory_gib} GiB, ${platform}, Node ${node}, ONNX Runtime ${onnxruntime}`;

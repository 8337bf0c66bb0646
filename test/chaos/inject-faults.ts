import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosService } from "./chaos-service.ts";
import type { Fault, FaultKind } from "./fault.ts";
import type { KeptProcess } from "./kept-process.ts";
import type { S3Mode } from "./s3-proxy.ts";

/** A fault and whether it was injected: why not, if not. */
export interface Injected {
  fault: Fault;
  refusal: string | undefined;
}

/** How far a clock jumps, in milliseconds: receivers take messages that are five minutes off. */
const JUMP_MS = 120_000;
/** Milliseconds after a worker was started in which it is killed again. */
const STARTING_MS = 1_200;

/** Injects each fault at its time and undoes it at its end; returns when all are undone. */
export async function injectFaults(
  faults: readonly Fault[],
  service: ChaosService,
  tell: (line: string) => void,
): Promise<Injected[]> {
  return Promise.all(
    faults.map(async (fault) => {
      await sleep(fault.atMs);
      const refusal = await DOING[fault.kind](service, fault);
      if (refusal !== undefined) tell(`NOT INJECTED: ${fault.kind}: ${refusal}`);
      return { fault, refusal };
    }),
  );
}

/** Does a fault and undoes it; gives why it could not be done. */
type Doing = (service: ChaosService, fault: Fault) => Promise<string | undefined>;

const processOf = ({ processes }: ChaosService, { victim = "" }: Fault): KeptProcess => {
  const found = processes.get(victim);
  if (found === undefined) throw new Error(`There is no process ${victim}. This is a bug.`);
  return found;
};

const signal =
  (name: NodeJS.Signals): Doing =>
  async (service, fault) => {
    await processOf(service, fault).signal(name);
    return undefined;
  };

const s3Behaves =
  (mode: S3Mode): Doing =>
  async ({ s3 }, { lastsMs }) => {
    s3.behave(mode);
    await sleep(lastsMs);
    s3.behave("pass");
    return undefined;
  };

const DOING: Record<FaultKind, Doing> = {
  "api-killed": signal("SIGKILL"),
  "api-stopped": signal("SIGTERM"),
  "worker-killed": signal("SIGKILL"),
  "worker-stopped": signal("SIGTERM"),
  async "worker-killed-starting"(service, fault) {
    const victim = processOf(service, fault);
    const starts = victim.starts();
    await victim.signal("SIGKILL");
    while (victim.starts() === starts) await sleep(10);
    await sleep(Math.random() * STARTING_MS);
    await victim.signal("SIGKILL");
    return undefined;
  },
  async "redis-killed"({ redis }, { lastsMs }) {
    await redis.restart("SIGKILL", lastsMs);
    return undefined;
  },
  async "redis-restarted"({ redis }, { lastsMs }) {
    await redis.restart("SIGTERM", lastsMs);
    return undefined;
  },
  async "redis-paused"({ redis }, { lastsMs }) {
    await redis.pause(lastsMs);
    return undefined;
  },
  "redis-out-of-memory": async ({ redis }, { lastsMs }) =>
    (await redis.starve(lastsMs)) ? undefined : "Redis wrote on.",
  async "redis-disk-full"({ disk, redis }, { lastsMs }) {
    if (disk.refusal !== undefined) return disk.refusal;
    await disk.fill();
    const refused = await redis.refusesWithin(lastsMs);
    disk.free();
    return refused ? undefined : "Redis wrote on.";
  },
  "s3-slow-down": s3Behaves("slow-down"),
  "s3-silent": s3Behaves("silent"),
  "s3-answers-lost": s3Behaves("answers-lost"),
  async "receiver-flaps"({ outside }, { lastsMs }) {
    outside.flap(true);
    await sleep(lastsMs);
    outside.flap(false);
    return undefined;
  },
  async "clock-jumps"({ setClock }, { victim = "", lastsMs }) {
    const aheadOrBehind = Math.random() < 0.5 ? -1 : 1;
    setClock(victim, aheadOrBehind * Math.round(Math.random() * JUMP_MS));
    await sleep(lastsMs);
    setClock(victim, 0);
    return undefined;
  },
};

import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);

/** How long the whole start may take, in milliseconds; 15 s is usual on two cores. */
const START_TIMEOUT_MS = 120_000;

/** The name of a cluster's folder goes on with the id of the process that started it. */
const FOLDER = "tresline-ceph-";

/** A running S3 server: where it is, a user's keys, and how to end it. */
export interface Ceph {
  /** Such as `http://127.0.0.1:41234`. */
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Ends every process, waits for it, and removes every file. */
  stop(): Promise<void>;
}

interface Daemon {
  name: string;
  child: ChildProcess;
  logFile: string;
}

/**
 * Starts a Ceph cluster of one monitor, one OSD that keeps its objects in memory and one S3 gateway, on free ports of
 * 127.0.0.1 and in a temporary directory of its own. The kernel ends the daemons when this process dies.
 * Throws with the end of a daemon's log when one does not come up.
 */
export async function startCeph(): Promise<Ceph> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`));
  const daemons: Daemon[] = [];
  const stop = async () => {
    await Promise.all(daemons.map(endDaemon));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { ...(await startDaemons(folder, daemons)), stop };
  } catch (error) {
    const logs = await Promise.all(daemons.map(lastLines));
    await stop();
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new Error(`Ceph is not installed: run test/support/install-debian.sh ceph (${error.message}).`, {
        cause: error,
      });
    }
    throw new Error(`Ceph did not start: ${String(error)}\n${logs.join("\n")}`, { cause: error });
  }
}

async function startDaemons(folder: string, daemons: Daemon[]): Promise<Omit<Ceph, "stop">> {
  const [monitorPort, gatewayPort] = await Promise.all([freePort(), freePort()]);
  const monitor = `[v2:127.0.0.1:${monitorPort}]`;
  const fsid = randomUUID();
  const conf = join(folder, "ceph.conf");
  const deadline = Date.now() + START_TIMEOUT_MS;
  await writeFile(conf, configuration({ folder, fsid, monitor, gatewayPort }));
  await Promise.all(["mon", "osd", "rgw"].map((name) => mkdir(join(folder, name))));

  const ceph = async (program: string, ...args: string[]): Promise<string> => {
    const { stdout } = await run(program, ["-c", conf, ...args], { timeout: deadline - Date.now() });
    return stdout;
  };
  const start = async (program: string, ...args: string[]): Promise<void> => {
    const logFile = join(folder, `${program}.log`);
    const log = await open(logFile, "a");
    const child = spawn("setpriv", ["--pdeathsig", "KILL", program, "-c", conf, "-f", ...args], {
      stdio: ["ignore", log.fd, log.fd],
    });
    daemons.push({ name: program, child, logFile });
    await once(child, "spawn");
    await log.close();
  };

  const map = join(folder, "monmap");
  await run("monmaptool", ["--create", "--fsid", fsid, "--addv", "a", monitor, map]);
  await ceph("ceph-mon", "--mkfs", "-i", "a", "--monmap", map);
  await start("ceph-mon", "-i", "a");
  const osdId = randomUUID();
  await ceph("ceph", "osd", "new", osdId);
  await ceph("ceph-osd", "--mkfs", "-i", "0", "--osd-uuid", osdId);
  await start("ceph-osd", "-i", "0");
  await start("radosgw", "-n", "client.admin");

  const endpoint = `http://127.0.0.1:${gatewayPort}`;
  while (!(await answers(endpoint))) {
    const dead = daemons.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
    if (dead) throw new Error(`${dead.name} ended by itself.`);
    if (Date.now() > deadline) throw new Error(`${endpoint} did not answer within ${START_TIMEOUT_MS} ms.`);
    await sleep(100);
  }
  const [accessKeyId, secretAccessKey] = ["tresline-access-key", "tresline-secret-key"];
  const user = ["--uid", "tresline", "--display-name", "Tresline"];
  const keys = ["--access-key", accessKeyId, "--secret-key", secretAccessKey];
  await ceph("radosgw-admin", "user", "create", ...user, ...keys);
  return { endpoint, accessKeyId, secretAccessKey };
}

function configuration(at: { folder: string; fsid: string; monitor: string; gatewayPort: number }): string {
  return `[global]
fsid = ${at.fsid}
mon host = ${at.monitor}
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon service mode = crc
run dir = ${at.folder}
admin socket =
keyring = ${at.folder}/keyring
crash dir = ${at.folder}
log file =
log to stderr = true
err to stderr = true
mon cluster log file = /dev/null
client mount timeout = 60

[mon]
mon data = ${at.folder}/mon
mon allow pool size one = true
mon warn on pool no redundancy = false
auth allow insecure global id reclaim = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0

[osd]
osd data = ${at.folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648

[client]
rgw data = ${at.folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${at.gatewayPort}
rgw enable apis = s3, admin, sts, iam, notifications
`;
}

/** Removes the folders of processes that were killed before they could. */
async function removeLeftovers(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(FOLDER));
  for (const name of names) {
    const owner = Number.parseInt(name.slice(FOLDER.length), 10);
    if (!isAlive(owner)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(endpoint, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

async function endDaemon({ child }: Daemon): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

async function lastLines({ name, logFile }: Daemon): Promise<string> {
  const lines = (await readFile(logFile, "utf8")).split("\n").filter((line) => line !== "");
  return `--- the end of ${name}'s log ---\n${lines.slice(-20).join("\n")}`;
}

/** What is done to the service, and what that means. */
export const FAULTS = {
  "api-killed": "SIGKILL of an API process",
  "api-stopped": "SIGTERM of an API process",
  "worker-killed": "SIGKILL of a worker",
  "worker-killed-starting": "SIGKILL of a worker, and of the one that starts in its place",
  "worker-stopped": "SIGTERM of a worker",
  "redis-killed": "SIGKILL of Redis, then a start from its append-only file",
  "redis-restarted": "SIGTERM of Redis, then a start from its append-only file",
  "redis-paused": "Redis stopped by SIGSTOP: it is there and does not answer",
  "redis-out-of-memory": "Redis at its maxmemory: it reads and does not write",
  "redis-disk-full": "the disk of Redis's append-only file is full",
  "s3-slow-down": "S3 answers 503 SlowDown",
  "s3-silent": "S3 takes requests and never answers",
  "s3-answers-lost": "S3 does what it is asked and half of its answers are lost",
  "receiver-flaps": "the receiver answers 500 or 429, resets, hangs, or takes a message and resets",
  "clock-jumps": "the clock of a process jumps by up to two minutes, and back",
} as const;
/** The name of one. */
export type FaultKind = keyof typeof FAULTS;

/** One fault, drawn from a seed. */
export interface Fault {
  kind: FaultKind;
  /** Milliseconds after the load has begun. */
  atMs: number;
  /** How long until it is undone, in milliseconds; 0 of what is over at once. */
  lastsMs: number;
  /** The process that it happens to, of those that there are several of. */
  victim: string | undefined;
}

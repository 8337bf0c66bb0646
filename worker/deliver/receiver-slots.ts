import type { PutOff } from "../consume.ts";

/** How many attempts one receiver may have under way while it answers within a second, and while it does not or is not known to. */
const QUICK_SLOTS = 32;
const SLOTS = 2;
const QUICK_MS = 1_000;
/** What an attempt is taken to last, in milliseconds, while none has shown it. */
const GUESSED_MS = 20;
/** A quick receiver's turns come so many times sooner than its attempts tell: they last long also when this process is busy. */
const HASTE = 4;
/** The shortest and the longest time that a message is put off, in milliseconds. */
const MIN_PUT_OFF_MS = 50;
const MAX_PUT_OFF_MS = 60_000;
/** How many receivers are remembered: more than can have attempts under way. */
const MAX_KNOWN = 1_000;

/** One attempt under way at a receiver; to be released when it has ended, however it did. */
export interface Slot {
  release: () => void;
}

interface Receiver {
  /** When the attempts under way began, the oldest first. */
  underWay: Set<{ startedAt: number }>;
  lastedMs: number | undefined;
  /** When the message that is put off next has its turn. */
  nextTurn: number;
}

/**
 * Bounds the attempts that each receiver has under way in this process, so that a slow one delays only itself. Of messages
 * that find no slot, each is told to come back at a turn of its own, at the pace at which the receiver frees its slots.
 * `now` is a clock in milliseconds.
 */
export function createReceiverSlots(now: () => number = () => performance.now()) {
  // The one that was asked for last stands last.
  const receivers = new Map<string, Receiver>();
  return {
    /** A slot at a receiver, or how long to put the message off. */
    take(name: string): Slot | PutOff {
      const at = now();
      const receiver = receivers.get(name) ?? { underWay: new Set(), lastedMs: undefined, nextTurn: at };
      receivers.delete(name);
      receivers.set(name, receiver);
      if (receivers.size > MAX_KNOWN) forgetOneIdle(receivers);
      const { underWay, lastedMs } = receiver;
      const oldestMs = at - (underWay.values().next().value?.startedAt ?? at);
      const attemptMs = Math.max(lastedMs ?? GUESSED_MS, oldestMs);
      const isSlow = attemptMs >= QUICK_MS;
      if (underWay.size >= (isSlow || lastedMs === undefined ? SLOTS : QUICK_SLOTS)) {
        const paceMs = attemptMs / (isSlow ? SLOTS : QUICK_SLOTS * HASTE);
        // Within QUICK_MS it is known whether it is quick.
        const latest = at + (isSlow || lastedMs !== undefined ? MAX_PUT_OFF_MS : QUICK_MS);
        receiver.nextTurn = Math.min(Math.max(receiver.nextTurn, at) + paceMs, latest);
        return { putOffMs: Math.max(Math.ceil(receiver.nextTurn - at), MIN_PUT_OFF_MS) };
      }
      const attempt = { startedAt: at };
      underWay.add(attempt);
      return {
        release() {
          underWay.delete(attempt);
          const wasQuick = (receiver.lastedMs ?? QUICK_MS) < QUICK_MS;
          receiver.lastedMs = now() - attempt.startedAt;
          if (!wasQuick && receiver.lastedMs < QUICK_MS) receiver.nextTurn = now();
        },
      };
    },
  };
}

function forgetOneIdle(receivers: Map<string, Receiver>): void {
  for (const [name, { underWay }] of receivers)
    if (underWay.size === 0) {
      receivers.delete(name);
      return;
    }
}

/** What `createReceiverSlots` returns. */
export type ReceiverSlots = ReturnType<typeof createReceiverSlots>;

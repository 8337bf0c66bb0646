import type { PutOff } from "../consume.ts";

/** How many attempts one receiver may have under way while it answers within a second, and while it does not or is not known to. */
const QUICK_SLOTS = 16;
const SLOTS = 2;
const QUICK_MS = 1_000;
/** What an attempt is taken to last, in milliseconds, while none has shown it. */
const GUESSED_MS = 20;
/** The shortest and the longest time that a message is put off, in milliseconds. */
const MIN_PUT_OFF_MS = 50;
const MAX_PUT_OFF_MS = 60_000;

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
  // Only receivers with attempts under way are known, so there are never more of them than attempts.
  const receivers = new Map<string, Receiver>();
  return {
    /** A slot at a receiver, or how long to put the message off. */
    take(name: string): Slot | PutOff {
      const at = now();
      const receiver = receivers.get(name) ?? { underWay: new Set(), lastedMs: undefined, nextTurn: at };
      receivers.set(name, receiver);
      const { underWay, lastedMs = QUICK_MS } = receiver;
      const oldest = at - (underWay.values().next().value?.startedAt ?? at);
      const slots = Math.max(lastedMs, oldest) < QUICK_MS ? QUICK_SLOTS : SLOTS;
      if (underWay.size >= slots) {
        const pace = Math.max(receiver.lastedMs ?? GUESSED_MS, oldest) / slots;
        receiver.nextTurn = Math.min(Math.max(receiver.nextTurn, at) + pace, at + MAX_PUT_OFF_MS);
        return { putOffMs: Math.max(Math.ceil(receiver.nextTurn - at), MIN_PUT_OFF_MS) };
      }
      const attempt = { startedAt: at };
      underWay.add(attempt);
      return {
        release() {
          underWay.delete(attempt);
          receiver.lastedMs = now() - attempt.startedAt;
          if (receiver.lastedMs < QUICK_MS) receiver.nextTurn = now();
          if (underWay.size === 0) receivers.delete(name);
        },
      };
    },
  };
}

/** What `createReceiverSlots` returns. */
export type ReceiverSlots = ReturnType<typeof createReceiverSlots>;

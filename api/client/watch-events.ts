import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";
import { pause } from "./pause.ts";
import { PATIENCE_MS } from "./poll.ts";
import type { Call, Reader, Transport } from "./transport.ts";
import { TreslineError } from "./tresline-error.ts";

/** Milliseconds of silence after which a stream is taken for dead: the service writes something every 15 seconds. */
const SILENCE_MS = 60_000;
/** Milliseconds before a stream is opened anew that broke off. */
const AGAIN_MS = 1_000;

/** A resource that tells of itself at `path` by server-sent events. */
export interface Watched<Value> {
  path: string;
  reader: Reader<Value>;
  hasEnded: (value: Value) => boolean;
}

/**
 * The resource as it is, and again at each change until it has ended. A stream that breaks off, as when the service is
 * restarted, is gone on with where it was. Throws TreslineError when the service is away for two minutes, or at first.
 */
export async function* watchEvents<Value>(
  transport: Transport,
  { path, reader, hasEnded }: Watched<Value>,
  { signal }: Call,
): AsyncGenerator<Value, void, undefined> {
  let last: string | undefined;
  for (let heardAt: number | undefined; ;) {
    try {
      for await (const { id, data } of eventsAt(transport, path, last, signal)) {
        const value = transport.read(reader, data);
        last = id;
        heardAt = performance.now();
        yield value;
        if (hasEnded(value)) return;
      }
      heardAt = performance.now();
    } catch (error) {
      const isAway = error instanceof TreslineError && error.retryable;
      if (!isAway || heardAt === undefined || performance.now() - heardAt > PATIENCE_MS) throw error;
    }
    await pause(AGAIN_MS, signal);
  }
}

/** The events of one stream, from the one after `last` on. It ends when it is silent for too long, too. */
async function* eventsAt(
  transport: Transport,
  path: string,
  last: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const silent = new AbortController();
  const headers = { accept: "text/event-stream", ...(last !== undefined && { "last-event-id": last }) };
  const either = signal ? AbortSignal.any([signal, silent.signal]) : silent.signal;
  const listen = () => setTimeout(() => silent.abort(), SILENCE_MS);
  let timer = listen();
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  const decoder = new TextDecoder();
  try {
    for await (const piece of transport.stream({ path, headers, signal: either })) {
      clearTimeout(timer);
      parser.feed(decoder.decode(piece, { stream: true }));
      yield* events.splice(0);
      timer = listen();
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!silent.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

import type { BucketEventCounts } from "../../shared/contracts/bucket-event.ts";
import type { LabelerRecord } from "../../shared/contracts/labeler.ts";
import type { ClassifyObjectPayload } from "../../shared/contracts/queue-payloads.ts";
import { AppError } from "../../shared/errors.ts";
import { isOwnKey } from "../../shared/keys.ts";
import { labelledObjectId } from "../../shared/new-id.ts";
import { countMissed, labelersOfBucket } from "../../shared/state/labelers.ts";
import type { LabelerState } from "../../shared/state/labelers.ts";
import { noteSequencer } from "../../shared/state/newest-sequencer.ts";
import type { ApiDeps } from "../deps.ts";
import { isCreation } from "../events/bucket-event.ts";
import type { BucketEvent } from "../events/bucket-event.ts";

/** The most objects that may wait for a model, about 100 MB in Redis: beyond that whoever tells of events keeps them. */
const MAX_WAITING_OBJECTS = 100_000;

type Deps = Pick<ApiDeps, "redis" | "queues" | "config">;

/** An object that is new, and a labeler that it is for. */
interface Match {
  event: BucketEvent;
  labeler: LabelerState;
}

/**
 * Enqueues the objects that events tell of for each labeler they are for. When it returns Redis has all jobs; an event told
 * again while its job waits makes no second one. Throws AppError overloaded when too much waits already.
 */
export async function acceptS3Events(
  deps: Deps,
  events: readonly BucketEvent[],
  traceparent: string,
): Promise<BucketEventCounts> {
  const matches = await dropOutdated(deps, await matchLabelers(deps, events));
  const missed = await countPaused(deps, matches);
  const due = matches.filter((match) => !missed.has(match));
  await enqueue(deps, due, traceparent);
  const accepted = new Set(due.map(({ event }) => event));
  const wanted = new Set(matches.map(({ event }) => event));
  return {
    accepted: accepted.size,
    missed: wanted.size - accepted.size,
    ignored: events.length - wanted.size,
  };
}

/** Who the objects are for that are new, no folders, and not written by Tresline itself. */
async function matchLabelers({ redis, config }: Deps, told: readonly BucketEvent[]): Promise<Match[]> {
  const storage = config.STORAGE_URL.replace(/\/*$/, "/");
  const events = told.filter(
    (event) =>
      isCreation(event) &&
      !isOwnKey(event.key) &&
      !`s3://${event.bucket}/${event.key}`.startsWith(storage) &&
      !(event.size === 0 && event.key.endsWith("/")),
  );
  const labelers = new Map(
    await Promise.all(
      [...new Set(events.map(({ bucket }) => bucket))].map(
        async (bucket) => [bucket, await labelersOfBucket(redis, bucket)] as const,
      ),
    ),
  );
  return events.flatMap((event) =>
    (labelers.get(event.bucket) ?? [])
      .filter(({ record }) => isFor(record, event.key))
      .map((labeler) => ({ event, labeler })),
  );
}

const isFor = ({ prefix, suffixes }: LabelerRecord, key: string) =>
  key.startsWith(prefix) && (suffixes?.some((suffix) => key.endsWith(suffix)) ?? true);

async function dropOutdated({ redis }: Deps, matches: readonly Match[]): Promise<Match[]> {
  const outdated = new Set<BucketEvent>();
  await Promise.all(
    [...new Set(matches.map(({ event }) => event))].map(async (event) => {
      if (event.sequencer !== undefined && !(await noteSequencer(redis, event, event.sequencer)))
        outdated.add(event);
    }),
  );
  return matches.filter(({ event }) => !outdated.has(event));
}

/** Those that a labeler misses since it is paused. What is told again, as after an error, is counted again. */
async function countPaused({ redis }: Deps, matches: readonly Match[]): Promise<Set<Match>> {
  const paused = matches.filter(({ labeler }) => labeler.labeler.status === "paused");
  const byLabeler = Map.groupBy(paused, ({ labeler }) => labeler.record.id);
  const missed = await Promise.all(
    [...byLabeler].map(async ([id, each]) => ((await countMissed(redis, id, each.length)) ? each : [])),
  );
  return new Set(missed.flat());
}

async function enqueue({ queues }: Deps, due: readonly Match[], traceparent: string): Promise<void> {
  const byModel = Map.groupBy(due, ({ labeler }) => labeler.record.model);
  for (const [model, matches] of byModel) {
    const waiting = await queues.countWaitingObjects(model);
    if (waiting + matches.length > MAX_WAITING_OBJECTS)
      throw new AppError(
        "overloaded",
        `The model ${model} has ${waiting} objects waiting already. Send the event again later.`,
      );
  }
  for (const [model, matches] of byModel) {
    const payloads = await Promise.all(matches.map(toPayload));
    await queues.enqueueObjects(
      model,
      payloads.map((payload) => ({ id: payload.id, payload: { ...payload, traceparent } })),
    );
  }
}

async function toPayload({ event, labeler: { record } }: Match): Promise<ClassifyObjectPayload> {
  const { bucket, key, versionId = "", etag = "", sequencer = "", eventTime } = event;
  const { id, tenant, model, top_k, threshold, write_back, on_error } = record;
  const version = [bucket, key, versionId, etag, sequencer];
  return {
    id: await labelledObjectId(id, version, new Date(eventTime)),
    tenant,
    model,
    top_k,
    threshold,
    labeler: { id, write_back, on_error, mode: "live" },
    bucket,
    key,
  };
}

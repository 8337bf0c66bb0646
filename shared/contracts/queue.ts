import * as z from "zod";
import { ModelName } from "./ids.ts";

/** The name of a queue: of a model's lane or its objects, or of the roles `scan` and `deliver`. */
export const QueueName = z
  .string()
  .regex(
    /^(?:scan|deliver|classify\.[a-z0-9][a-z0-9_.-]{0,99}\.(?:interactive|bulk|objects))$/,
    "must be scan, deliver, or classify.MODEL. with interactive, bulk or objects",
  )
  .meta({ example: "classify.figures.bulk" });

/** The id of a job: that of what it is for, with a part such as `-17` or `-finish` where that has several. */
export const JobId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,200}$/, "must be the id of a job, such as cls_… or bat_…-17")
  .meta({ example: "cls_01kapz6s8r3v5m2n7q9w4x6y8z" });

const count = (description: string) => z.int().min(0).meta({ description });

/** A queue as operators see it. */
export const WorkQueue = z
  .object({
    id: QueueName,
    object: z.literal("queue"),
    model: ModelName.nullable().meta({
      description: "Whose images it carries; null of `scan` and `deliver`.",
    }),
    paused: z.boolean().meta({ description: "Whether nobody takes its jobs until it is resumed." }),
    waiting: count("Jobs that no worker has yet."),
    due: count("Jobs that were put off and may be taken again."),
    put_off: count("Jobs that are to be taken later, such as messages between two attempts."),
    active: count("Jobs in the hand of a worker."),
    dead: count("Dead letters: jobs that nobody tries again until they are redriven."),
    oldest_age_seconds: z
      .number()
      .min(0)
      .meta({ description: "How long the oldest that waits has waited without ever being taken." }),
  })
  .meta({ id: "WorkQueue", description: "A queue of jobs between the API and the workers." });
export type WorkQueue = z.infer<typeof WorkQueue>;

/** A job that nobody tries again: its payload cannot be read, or all its attempts are used up. */
export const DeadLetter = z
  .object({
    id: JobId,
    object: z.literal("dead_letter"),
    queue: QueueName,
    kind: z
      .string()
      .nullable()
      .meta({ description: "What it asks for, such as `chunk`; null where it does not say." }),
    reason: z.string().meta({ description: "What its last attempt ended with." }),
    attempts: z.int(),
    created_at: z.iso.datetime(),
    died_at: z.iso.datetime(),
  })
  .meta({ id: "DeadLetter", description: "A job that nobody tries again." });
export type DeadLetter = z.infer<typeof DeadLetter>;

/** All that is known of one job, whatever its state. */
export const QueueJob = z
  .object({
    id: JobId,
    object: z.literal("job"),
    queue: QueueName,
    state: z.enum(["waiting", "put_off", "active", "dead"]),
    attempts: z.int().meta({ description: "Attempts that have failed." }),
    crashes: z.int().meta({ description: "How often a worker died with it in hand." }),
    reason: z
      .string()
      .nullable()
      .meta({ description: "What its last attempt ended with; null when none failed." }),
    created_at: z.iso.datetime(),
    taken_at: z.iso.datetime().nullable(),
    died_at: z.iso.datetime().nullable(),
    payload: z.unknown().meta({ description: "What the job carries, as it is in Redis." }),
  })
  .meta({ id: "QueueJob", description: "A job, for whoever looks for a fault." });
export type QueueJob = z.infer<typeof QueueJob>;

/** The most dead letters that one request redrives or discards. */
export const MOST_DEAD_LETTERS = 1_000;

/** Which dead letters of a queue: those of these ids, or all, a thousand at a time. */
export const DeadLetterSelection = z
  .union([
    z.strictObject({ ids: z.array(JobId).min(1).max(MOST_DEAD_LETTERS) }),
    z.strictObject({
      all: z.literal(true),
      before: z.iso.datetime().optional().meta({
        description:
          "Only those that died before; now when absent. `before` of the answer before goes on with the same.",
      }),
    }),
  ])
  .meta({ id: "DeadLetterSelection", example: { ids: ["bat_01kapz6s8r3v5m2n7q9w4x6y8z-17"] } });
export type DeadLetterSelection = z.infer<typeof DeadLetterSelection>;

/** What became of dead letters that were redriven or discarded. */
export const DeadLettersDone = z
  .object({
    object: z.enum(["redriven", "discarded"]),
    queue: QueueName,
    ids: z.array(JobId).meta({ description: "Of those that it was done to." }),
    missing: z
      .array(JobId)
      .meta({ description: "Ids that were asked for and are of no dead letter of this queue." }),
    left: count("Dead letters that the same request again would find."),
    before: z.iso.datetime(),
  })
  .meta({ id: "DeadLettersDone", description: "What became of dead letters." });
export type DeadLettersDone = z.infer<typeof DeadLettersDone>;

import { S3ServiceException } from "@aws-sdk/client-s3";
import { PermanentError } from "../errors.ts";
import { ObjectChangedError, ObjectGoneError } from "./source-buckets.ts";

/** Answers below 500 that may be different the next time: request timeout, conflict, too early, too many requests. */
const PASSING = new Set([408, 409, 425, 429]);
/** What the absence of an object is called; in answer to a HEAD, which has no body to say more, that of a bucket too. */
const ABSENT = new Set(["NoSuchKey", "NotFound"]);
/** What a missing permission is called; in answer to a HEAD it has no name. */
const DENIED = new Set(["AccessDenied", "Unknown"]);

/** What was asked of a bucket of somebody else: `subject` and `verb` make a sentence with "cannot be", `permission` is what S3 asks for it. */
export interface Deed {
  subject: string;
  verb: "read" | "written";
  permission: string;
}

/** Tells what will never work from what may, by the status; the sentence says what was asked for and not what the server said of itself. */
export async function explained<T>({ subject, verb, permission }: Deed, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const status = cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
    const name = cause instanceof Error ? cause.name : "unknown";
    if (status === 412)
      throw new ObjectChangedError(
        "fetch_failed",
        `${subject} was replaced by another while it was ${verb}.`,
        {
          cause,
        },
      );
    const answer = `${subject} cannot be ${verb}: S3 answered ${status}, ${name}.`;
    if (status === 404 && ABSENT.has(name)) throw new ObjectGoneError("fetch_failed", answer, { cause });
    if (status === 403 && DENIED.has(name))
      throw new PermanentError(
        "fetch_forbidden",
        `${answer} The worker's credentials need the permission ${permission}.`,
        { cause },
      );
    if (status !== undefined && status >= 400 && status < 500 && !PASSING.has(status))
      throw new PermanentError("fetch_failed", answer, { cause });
    throw new Error(`${subject} could not be ${verb}: ${String(cause)}`, { cause });
  }
}

/** What is broken: the promises that are counted, and all others. */
export type Promised =
  | "an accepted id ends"
  | "an id has one result"
  | "a message has one id"
  | "a request is done once"
  | "everything else";

/** A promise that the service has broken. */
export interface Violation {
  promise: Promised;
  /** Of what it is about. */
  id: string;
  detail: string;
}

/** Text for a person about something that was thrown. */
export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

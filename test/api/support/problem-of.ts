import type { Problem } from "../../../shared/contracts/error.ts";

/** The problem that an answer tells. */
export const problemOf = async (response: Response) => (await response.json()) as Problem;

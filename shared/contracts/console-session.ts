import * as z from "zod";
import { ApiKeyId } from "./ids.ts";

/** What Redis keeps of who has signed in to the console: with which key, and nothing of what that allows, which is looked up at each request. */
export const ConsoleSession = z.object({
  key_id: ApiKeyId.nullable().meta({ description: "Null for the service's own `API_KEY`." }),
  key_sha256: z
    .string()
    .meta({ description: "Of the whole key, so that a session ends when that is another." }),
});
export type ConsoleSession = z.infer<typeof ConsoleSession>;

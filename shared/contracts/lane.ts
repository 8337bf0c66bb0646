import * as z from "zod";

/** How urgent an image is: interactive ones go before bulk, and bulk never starves. Each model has a queue for either. */
export const Lane = z.enum(["interactive", "bulk"]);
export type Lane = z.infer<typeof Lane>;

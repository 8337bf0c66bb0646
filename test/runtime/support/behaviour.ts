import type { Answered, Client } from "./client.ts";
import { PUBLIC_URL } from "./services.ts";

/** What the API does, by a sentence each. Each fails by throwing. */
export type Behaviours = Record<string, (client: Client) => Promise<void>>;

/** A picture of a bar chart. */
export const CHART = "bar_chart_06.png";

/** The header that asks for the labels in the answer. */
export const wait = { prefer: "wait=30" };

/** The path of what an answer's Location leads to. */
export const pathOf = ({ headers }: Answered) => (headers.get("location") ?? "").replace(PUBLIC_URL, "");

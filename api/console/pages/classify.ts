import { Hono } from "hono";
import type { Context } from "hono";
import { html } from "hono/html";
import pLimit from "p-limit";
import { ClassificationOptions } from "../../../shared/contracts/classification.ts";
import type { Classification } from "../../../shared/contracts/classification.ts";
import { ClassificationId } from "../../../shared/contracts/ids.ts";
import { HttpUrl } from "../../../shared/contracts/image.ts";
import { AppError } from "../../../shared/errors.ts";
import type { ApiDeps } from "../../deps.ts";
import { createClassification } from "../../services/create-classification.ts";
import type { CreateClassificationInput } from "../../services/create-classification.ts";
import { getClassification } from "../../services/get-classification.ts";
import { listClassifications } from "../../services/list-classifications.ts";
import { listShownModels } from "../../services/list-models.ts";
import type { ConsoleEnv } from "../env.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";
import { CLASSIFICATION_VIEWS, FILE } from "../parts/classification-views.ts";
import { MOST_AT_ONCE, classifyForm } from "../parts/classify-form.ts";
import { numberOf, parseForm, readForm, textOf } from "../parts/read-form.ts";
import { LOOK_AGAIN } from "../parts/look-again.ts";
import { linesOf } from "../parts/lines-of.ts";
import { refusedCard } from "../parts/refused-card.ts";

/** Cards of what was classified last, on a page that shows nothing else. */
const LATEST = 6;

/** Images that are stored and enqueued at a time. */
const CREATED_AT_ONCE = 4;

/** What became of an image that was sent: it was accepted, or was not and why. */
type Sent = { accepted: Classification } | { name: string; refused: AppError };

/** The console's first page: images are dropped and their labels appear. */
export function classifyPages(deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console", async (c) => {
    const scopes = c.get("scopes");
    if (!scopes.includes("classify")) return c.redirect("/console/classifications", 303);
    const ids = c.req.query("ids");
    const shown = scopes.includes("read") ? await find(c, ids) : [];
    return classifyPage(c, {
      title: ids === undefined ? "Latest" : "Just sent",
      cards: shown.map(CLASSIFICATION_VIEWS.card),
    });
  });

  pages.post("/console", needs("classify"), async (c) => {
    const sent = await send(c);
    const accepted = sent.flatMap((each) => ("accepted" in each ? [each.accepted] : []));
    const isWhole = accepted.length === sent.length;
    const cards = sent.map((each) =>
      "accepted" in each
        ? CLASSIFICATION_VIEWS.card(each.accepted)
        : refusedCard(each.name, each.refused.message),
    );
    // The script asks for the cards alone. A page after a refusal is answered at once, since only its form's answer can tell of it.
    if (c.req.header("x-part") === "cards") return c.html(html`${cards}`);
    if (!isWhole) return classifyPage(c, { title: "Just sent", cards, status: 422 });
    return c.redirect(`/console?ids=${accepted.map(({ id }) => id).join(",")}`, 303);
  });

  const find = async (c: Context<ConsoleEnv>, ids: string | undefined) => {
    const tenant = c.get("tenant");
    if (ids === undefined) {
      const filter = { status: undefined, model: undefined };
      return (await listClassifications(deps, tenant, filter, { limit: LATEST, before: undefined })).data;
    }
    const wanted = ids.split(",").slice(0, MOST_AT_ONCE);
    return Promise.all(wanted.map((id) => getClassification(deps, tenant, ClassificationId.parse(id))));
  };

  const classifyPage = async (
    c: Context<ConsoleEnv>,
    { title, cards, status = 200 }: { title: string; cards: unknown[]; status?: 200 | 422 },
  ) =>
    page(c, {
      title: "Classify",
      status,
      main: html`${classifyForm(await listShownModels(deps))}
        <section aria-labelledby="cards-title">
          <h2 id="cards-title">${title}</h2>
          <div id="cards" data-live="/console/classifications/cards" aria-live="polite">${cards}</div>
          ${LOOK_AGAIN}
        </section>`,
    });

  const send = async (c: Context<ConsoleEnv>): Promise<Sent[]> => {
    const sent = await readForm(c);
    const wanted = [...(await readFiles(c)), ...linesOf(sent, "urls")];
    const options = parseForm(ClassificationOptions, {
      model: textOf(sent, "model"),
      top_k: numberOf(sent, "top_k"),
    });
    if (wanted.length === 0)
      throw new AppError("invalid_request", "Choose an image, or paste the address of one.");
    if (wanted.length > MOST_AT_ONCE)
      throw new AppError(
        "invalid_request",
        `These are ${wanted.length} images; send ${MOST_AT_ONCE} at once, or make a batch of them.`,
      );
    const limit = pLimit(CREATED_AT_ONCE);
    return Promise.all(wanted.map((each) => limit(() => sendOne(c, each, options))));
  };

  const sendOne = async (
    c: Context<ConsoleEnv>,
    wanted: File | string,
    options: ClassificationOptions,
  ): Promise<Sent> => {
    const name = typeof wanted === "string" ? wanted : wanted.name;
    try {
      const accepted = await createClassification(deps, {
        tenant: c.get("tenant"),
        ...(await imageOf(wanted, options)),
        cancelAfterMs: undefined,
        waitMs: 0,
        signal: deps.stopping,
        traceparent: c.get("traceparent"),
      });
      return { accepted };
    } catch (error) {
      if (error instanceof AppError) return { name, refused: error };
      throw error;
    }
  };

  return pages;
}

/** An image as the service takes it; a file keeps its name. */
async function imageOf(
  wanted: File | string,
  options: ClassificationOptions,
): Promise<Pick<CreateClassificationInput, "image" | "options">> {
  if (typeof wanted === "string") {
    const url = HttpUrl.safeParse(wanted);
    if (!url.success) throw new AppError("invalid_request", "This is no http or https address.");
    return { image: { url: url.data }, options };
  }
  if (wanted.size === 0) throw new AppError("invalid_image", "The file has no bytes.");
  const metadata = { ...options.metadata, [FILE]: wanted.name.slice(0, 512) };
  const image = { bytes: await wanted.bytes(), mediaType: wanted.type };
  return { image, options: { ...options, metadata } };
}

/** The files of the form; a field that was left empty is a file without a name. */
async function readFiles(c: Context): Promise<File[]> {
  const { images } = await c.req.parseBody({ all: true });
  return [images].flat().flatMap((each) => (each instanceof File && each.name !== "" ? [each] : []));
}

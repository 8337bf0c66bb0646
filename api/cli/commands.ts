import type { Command } from "./command.ts";

const status = async () => (await import("./commands/status.ts")).status;
const cancel = async () => (await import("./commands/cancel.ts")).cancel;

/** Every command by its name, of one word or two. Each is loaded when it is asked for. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  classify: async () => (await import("./commands/classify.ts")).classify,
  status,
  cancel,
  "batch create": async () => (await import("./commands/batch-create.ts")).batchCreate,
  "batch status": status,
  "batch results": async () => (await import("./commands/batch-results.ts")).batchResults,
  "batch cancel": cancel,
  "batch retry": async () => (await import("./commands/batch-retry.ts")).batchRetry,
  "labeler create": async () => (await import("./commands/labeler-create.ts")).labelerCreate,
  "labeler run": async () => (await import("./commands/labeler-run.ts")).labelerRun,
  "labeler status": status,
  "labeler results": async () => (await import("./commands/labeler-results.ts")).labelerResults,
  "labeler cancel": cancel,
  "labeler list": async () => (await import("./commands/labeler-list.ts")).labelerList,
  "labeler pause": async () => (await import("./commands/labeler-pause.ts")).labelerPause,
  "labeler resume": async () => (await import("./commands/labeler-resume.ts")).labelerResume,
  models: async () => (await import("./commands/models.ts")).models,
  "webhooks create": async () => (await import("./commands/webhooks-create.ts")).webhooksCreate,
  "webhooks list": async () => (await import("./commands/webhooks-list.ts")).webhooksList,
  "webhooks status": status,
  "webhooks test": async () => (await import("./commands/webhooks-test.ts")).webhooksTest,
  "webhooks attempts": async () => (await import("./commands/webhooks-attempts.ts")).webhooksAttempts,
  "webhooks resend": async () => (await import("./commands/webhooks-resend.ts")).webhooksResend,
  "webhooks recover": async () => (await import("./commands/webhooks-recover.ts")).webhooksRecover,
  "webhooks rotate": async () => (await import("./commands/webhooks-rotate.ts")).webhooksRotate,
  listen: async () => (await import("./commands/listen.ts")).listen,
  "keys create": async () => (await import("./commands/keys-create.ts")).keysCreate,
  "keys list": async () => (await import("./commands/keys-list.ts")).keysList,
  "keys revoke": async () => (await import("./commands/keys-revoke.ts")).keysRevoke,
  "admin inspect": async () => (await import("./commands/admin-inspect.ts")).adminInspect,
  "admin pause": async () => (await import("./commands/admin-pause.ts")).adminPause,
  "admin resume": async () => (await import("./commands/admin-resume.ts")).adminResume,
  "admin drain": async () => (await import("./commands/admin-drain.ts")).adminDrain,
  "admin redrive": async () => (await import("./commands/admin-redrive.ts")).adminRedrive,
  "admin discard": async () => (await import("./commands/admin-discard.ts")).adminDiscard,
  workers: async () => (await import("./commands/workers.ts")).workers,
  bench: async () => (await import("./commands/bench.ts")).benchCommand,
};

/** What to tell whoever asked for a command that begins with this word, which none does alone. */
export function noCommand(word: string): string {
  const verbs = Object.keys(COMMANDS).flatMap((name) =>
    name.startsWith(`${word} `) ? name.slice(word.length + 1) : [],
  );
  return verbs.length > 0 ? `${word} takes one of ${verbs.join(", ")}.` : `${word} is no command.`;
}

/** What `tresline --help` says. */
export const HELP = `Usage: tresline COMMAND [OPTION]...

Has images labelled by a running Tresline.

  classify FILE|URL...   label images
  status ID              show a classification, batch, labeler, run, endpoint or
                         message
  cancel ID              label no more of a classification, batch or run
  batch create           label many images together
  batch status ID        show how far a batch is
  batch results ID       write what became of its images
  batch cancel ID        label no more of it
  batch retry ID         label again what failed
  labeler create PLACE   label the objects of a bucket from now on
  labeler run ID         label the objects that are there
  labeler status ID      show a labeler or a run
  labeler results RUN    write what became of the objects of a run
  labeler cancel RUN     label no more of it
  labeler list           list the labelers
  labeler pause ID       label nothing until it is resumed
  labeler resume ID      go on, and find what was missed
  models                 list the models
  webhooks create URL    register an endpoint for signed events
  webhooks list          list the endpoints
  webhooks status ID     show an endpoint or a message
  webhooks test ID       send an endpoint a test message
  webhooks attempts ID   list what an endpoint was sent and answered
  webhooks resend MSG    send a message again
  webhooks recover ID    send again what an endpoint missed
  webhooks rotate ID     replace an endpoint's secret
  listen                 receive webhooks on this machine and print them
  keys create NAME       make an API key
  keys list              list the API keys
  keys revoke ID         refuse an API key from now on
  workers                list the workers
  admin inspect          show the queues, their dead letters or a job
  admin pause QUEUE      let workers take no jobs of a queue
  admin resume QUEUE     let them take its jobs again
  admin drain            pause all, and wait until nothing is in hand
  admin redrive QUEUE    try dead letters again
  admin discard QUEUE    remove dead letters for good
  bench [URL]            put a load on the service and say how fast it labels

tresline COMMAND --help says more.
`;

/** What the help of a command ends with. */
export const COMMON_HELP = `
  --url URL          the service (default: the variable TRESLINE_URL, or
                     http://127.0.0.1:8080)
  --key KEY          the API key (default: the variable TRESLINE_API_KEY)
  --json             print JSON, an object a line

Exit code: 0 when all is well, 1 when something failed, 2 when the command line
makes no sense, 130 when it was stopped by Ctrl-C.
`;

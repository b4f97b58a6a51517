import { InputError } from "@petl/core";
import { MachineError } from "../machine-error.ts";
import { scalarsOf, type TrackerKind } from "./tracker.ts";

const experiment = "petl";
const patience = 10_000;
/** as many as MLflow takes at once */
const together = 1000;
/** Seconds after which numbers are sent, so that a run is seen while it goes on. */
const often = 5;

interface Metric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/**
 * An MLflow tracking server by its REST interface (2.0): a run in the experiment "petl", settings as parameters, numbers in
 * batches. MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD are sent where they are set. A server that stops answering while training loses numbers, not the run; closing says so.
 */
export const mlflow: TrackerKind = {
  name: "mlflow",
  place: "URL",
  async reach(place) {
    await experimentId(caller(place));
  },
  async open(place, { name, settings }) {
    const call = caller(place);
    const { run } = await call("runs/create", {
      experiment_id: await experimentId(call),
      run_name: name,
      start_time: Date.now(),
    });
    const id = textAt(run, "info", "run_id");
    const params = Object.entries(settings).map(([key, value]) => ({ key, value: String(shown(value)).slice(0, 500) }));
    await call("runs/log-batch", { run_id: id, params: params.slice(0, 100) });
    let waiting: Metric[] = [];
    let sentAt = Number.NEGATIVE_INFINITY;
    let sending = Promise.resolve();
    let lost: Error | undefined;
    const send = () => {
      const metrics = waiting;
      waiting = [];
      if (metrics.length === 0) return;
      const work = () => call("runs/log-batch", { run_id: id, metrics });
      sending = sending.then(work).then(
        () => undefined,
        (error: Error) => {
          lost ??= error;
        },
      );
    };
    return {
      log(step, values, seconds) {
        const timestamp = Math.round(seconds * 1000);
        for (const [key, value] of Object.entries(scalarsOf(values))) waiting.push({ key, value, timestamp, step });
        if (waiting.length <= together - 50 && seconds - sentAt < often) return;
        sentAt = seconds;
        send();
      },
      async close(outcome) {
        send();
        await sending;
        const status = { finished: "FINISHED", failed: "FAILED", stopped: "KILLED" }[outcome];
        await call("runs/update", { run_id: id, status, end_time: Date.now() });
        if (lost) throw lost;
      },
    };
  },
};

type Call = (path: string, body?: object) => Promise<Readonly<Record<string, unknown>>>;

/** Calls of the server at a URL. Secrets come from the environment: a URL is written into run.json. */
function caller(place: string): Call {
  if (!URL.canParse(place)) throw new InputError(`"${place}" is no URL of an MLflow server; mlflow:http://host:5000`);
  const url = new URL(place);
  if (url.username || url.password)
    throw new InputError(
      "the URL of an MLflow server must hold no secrets; set MLFLOW_TRACKING_USERNAME and …_PASSWORD",
    );
  const { MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password = "" } = process.env;
  const secret = user && Buffer.from(`${user}:${password}`).toString("base64");
  const root = url.href.replace(/\/$/, "");
  return async (path, body) => {
    const headers = { "content-type": "application/json", ...(secret && { authorization: `Basic ${secret}` }) };
    const request = { headers, signal: AbortSignal.timeout(patience) };
    const post = body && { method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(`${root}/api/2.0/mlflow/${path}`, { ...request, ...post }).catch((error: Error) => {
      throw new MachineError(`the MLflow server ${root} does not answer: ${error.message}`);
    });
    if (answer.ok) return recordOf(await answer.json());
    throw new MachineError(`the MLflow server ${root} answered ${answer.status} to ${path.replace(/\?.*/, "")}`);
  };
}

async function experimentId(call: Call): Promise<string> {
  const path = `experiments/get-by-name?experiment_name=${experiment}`;
  const known = await call(path).catch((error: Error) => {
    if (/answered 404/.test(error.message)) return undefined;
    throw error;
  });
  if (known) return textAt(known, "experiment", "experiment_id");
  return textAt(await call("experiments/create", { name: experiment }), "experiment_id");
}

const shown = (value: unknown): unknown => (typeof value === "object" ? JSON.stringify(value) : value);

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};

/** The text that an answer has at a path. */
function textAt(answer: unknown, ...path: readonly string[]): string {
  const found = path.reduce<unknown>((value, name) => recordOf(value)[name], answer);
  if (typeof found === "string") return found;
  throw new MachineError(`the MLflow server's answer has no ${path.join(".")}`);
}

import { stripVTControlCharacters } from "node:util";
import type { StageProgress } from "../pretraining/stage-watch.ts";

/** What is known of a run now; what isn't is left out of the line. */
interface RunProgress {
  /** which run, where there are several */
  readonly run?: string;
  readonly step: number;
  readonly steps?: number;
  readonly loss?: number;
  readonly tokensPerSecond?: number;
  readonly secondsLeft?: number;
}

interface DownloadProgress {
  readonly file: string;
  readonly received: number;
  readonly size: number;
}

/** The part of `process.stderr` that is needed. */
interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface TerminalOptions {
  /** `process.stderr` where left out: stdout belongs to data. */
  readonly stream?: TerminalStream;
  /** Off where NO_COLOR is set to anything, and off a TTY. */
  readonly color?: boolean;
  /** Milliseconds. */
  readonly now?: () => number;
}

export interface Terminal {
  /** A line that stays. */
  line(text: string): void;
  /** On a TTY one line in place, at most ten a second; elsewhere plain lines, at most one in five seconds. */
  progress(values: RunProgress | DownloadProgress | StageProgress): void;
  /** The last progress stays, and the next line starts on its own. */
  done(): void;
}

export function openTerminal({
  stream = process.stderr,
  color = !process.env.NO_COLOR,
  now = Date.now,
}: TerminalOptions = {}): Terminal {
  const live = stream.isTTY === true;
  const interval = live ? 100 : 5000;
  let lastShown = Number.NEGATIVE_INFINITY;
  let pending: string | undefined;
  let open = false;

  const show = (text: string) => {
    pending = undefined;
    lastShown = now();
    if (!live) return void stream.write(`${text}\n`);
    const cut = [...text].slice(0, Math.max(1, (stream.columns ?? 80) - 1)).join("");
    stream.write(`\r\x1b[K${color ? `\x1b[2m${cut}\x1b[22m` : cut}`);
    open = true;
  };
  const close = () => {
    if (pending !== undefined) show(pending);
    if (open) stream.write("\n");
    open = false;
  };
  return {
    line(text) {
      if (open) stream.write("\r\x1b[K");
      open = false;
      stream.write(`${harmless(text)}\n`);
    },
    progress(values) {
      const text = lineOf(values);
      if (now() - lastShown >= interval) show(text);
      else pending = text;
    },
    done: close,
  };
}

const lineOf = (values: RunProgress | DownloadProgress | StageProgress): string =>
  "file" in values ? downloadLine(values) : "what" in values ? stageLine(values) : runLine(values);

/** `reading the text  12.3/43.1 MB  0:20 left` */
function stageLine({ what, done, of, unit, running, waiting, secondsLeft }: StageProgress): string {
  const shown = (count: number) =>
    unit === "MB" ? (count / 1e6).toFixed(1) : Math.round(count).toLocaleString("en-US");
  return [
    `${what}  ${shown(done)}/${shown(of)} ${unit}`,
    running === undefined ? [] : `${shown(running)} running`,
    waiting === undefined ? [] : `${shown(waiting)} waiting`,
    secondsLeft === undefined ? [] : `${duration(secondsLeft)} left`,
  ]
    .flat()
    .join("  ");
}

/** `step 120/1000  loss 0.4312  5,210 tokens/s  2:05 left` */
export function runLine({ run, step, steps, loss, tokensPerSecond, secondsLeft }: RunProgress): string {
  return [
    run ?? [],
    steps === undefined ? `step ${step}` : `step ${step}/${steps}`,
    loss === undefined ? [] : `loss ${Number.isFinite(loss) ? loss.toPrecision(4) : loss}`,
    tokensPerSecond === undefined ? [] : `${Math.round(tokensPerSecond).toLocaleString("en-US")} tokens/s`,
    secondsLeft === undefined ? [] : `${duration(secondsLeft)} left`,
  ]
    .flat()
    .join("  ");
}

/** `model.safetensors  12.3/268.1 MB  4%` */
export function downloadLine({ file, received, size }: DownloadProgress): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const percent = size === 0 ? 100 : Math.floor((100 * received) / size);
  return `${harmless(file)}  ${megabytes(received)}/${megabytes(size)} MB  ${percent}%`;
}

/** `0:07`, `12:05`, `1:02:03` */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Without control characters, which a file name or a data line could bring to steer the terminal; lines and tabs stay. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text).replace(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "�");
}

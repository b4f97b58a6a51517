import { InternalError } from "../errors.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { canJoin } from "../peft/joined.ts";
import { promptLength } from "../peft/prompted.ts";
import type { Fed } from "../runtime/session.ts";
import { random } from "../tensor/random.ts";
import type { Continuing } from "./continuing.ts";
import { type DecoderSteps, paddedLeft } from "./decoder.ts";
import type { Past } from "./past.ts";
import { nextToken } from "./sampling.ts";
import { withoutSuppressed } from "./suppressed.ts";
import { appendToken, type GeneratedToken, type Text, unrepeated } from "./texts.ts";

/** How a text goes on. */
export type LaneSettings = Pick<Continuing, "settings" | "suppressed" | "suppressedFirst">;

/** A text that somebody waits for. */
export interface LaneText {
  readonly adapter: AdapterNumbers;
  readonly text: Text;
  readonly how: LaneSettings;
  /** A token came; the last one says that it ends. */
  told(token: GeneratedToken): void;
  /** It ends without its last token. */
  failed(error: unknown): void;
  /** whether nobody wants it any more */
  gone(): boolean;
}

/** What computes the rows of some adapters: compiled for them, and their numbers as it takes them. */
export interface LaneProgram {
  readonly steps: DecoderSteps;
  /** Copies Φ of rows' adapters, as they are now, to the engine's side. */
  copy(adapters: readonly AdapterNumbers[]): Promise<RowNumbers>;
}

/** The numbers of some adapters as a program takes them, which the engine holds; they must be given back. */
export interface RowNumbers {
  has(adapters: readonly AdapterNumbers[]): boolean;
  /** Φ of each row, in their order */
  tensors(adapters: readonly AdapterNumbers[]): Fed;
  /** Gives the memory back. */
  release(): Promise<void>;
}

/** Finds a program for the rows of some adapters, which stays compiled until the work with it is done. */
export type LanePrograms = <R>(
  adapters: readonly AdapterNumbers[],
  work: (program: LaneProgram) => Promise<R>,
) => Promise<R>;

/** Texts under way on one base, whichever adapters they ask. */
export interface Lanes {
  ask(text: LaneText): void;
}

interface Row {
  readonly asked: LaneText;
  /** 1 for each token of the past that it may look at, 0 in front of its beginning */
  mask: number[];
}

/** Texts that are computed side by side, and the keys and values of their tokens. */
interface Lane {
  rows: Row[];
  past: Past | undefined;
  /** copied when a text began or joined, for the program that they fit */
  numbers: (RowNumbers & Pick<LaneProgram, "steps">) | undefined;
  readonly joining: LaneText[];
}

const emptyLane = () => ({ rows: [], past: undefined, numbers: undefined });

/** Prompts that are computed between two tokens of those that are under way. */
const promptsAtOnce = 8;

/**
 * Goes on with texts token by token, all at once whose adapters can share a batch: a text joins between two tokens of the
 * others, with the keys and values of its own prompt, and leaves with its last token. What becomes of one does not depend on
 * the others, up to rounding.
 *
 * @param most texts side by side; those beyond wait
 */
export function openLanes(programs: LanePrograms, most: number): Lanes {
  const waiting: LaneText[] = [];
  let lanes: Lane[] = [];
  let working = false;
  const work = async () => {
    await Promise.resolve(); // whoever asks in the same moment begins together
    for (;;) {
      admit(waiting, lanes, most);
      lanes = lanes.filter(({ rows, joining }) => rows.length + joining.length > 0);
      if (lanes.length === 0) break;
      for (const lane of lanes) await step(lane, programs);
    }
    working = false;
  };
  return {
    ask(text) {
      waiting.push(text);
      if (working) return;
      working = true;
      void work();
    },
  };
}

/** Whether nobody wants a text any more; it is told so where somebody still listens. */
function left({ gone, failed }: LaneText): boolean {
  if (!gone()) return false;
  failed(new InternalError("the text was given up"));
  return true;
}

/** Gives those that wait a lane, as long as there is room, in their order. */
function admit(waiting: LaneText[], lanes: Lane[], most: number): void {
  let under = lanes.reduce((sum, { rows, joining }) => sum + rows.length + joining.length, 0);
  while (waiting.length > 0 && under < most) {
    const next = waiting.shift();
    if (!next || left(next)) continue;
    const lane = lanes.find((each) => shares(each, next)) ?? { ...emptyLane(), joining: [] };
    if (!lanes.includes(lane)) lanes.push(lane);
    lane.joining.push(next);
    under++;
  }
}

function shares({ rows, joining }: Lane, { adapter }: LaneText): boolean {
  if (prompted(adapter) && rows.length > 0) return false;
  const adapters = [...rows.map(({ asked }) => asked.adapter), ...joining.map((each) => each.adapter)];
  if (adapters.every((each) => each.phi.values === adapter.phi.values)) return true;
  return canJoin([...new Set([...adapters, adapter].map(({ adapted }) => adapted))]);
}

/** Whether a method puts keys in front of every text, behind which alone the tokens of a lane can stand. */
const prompted = ({ adapted }: AdapterNumbers): boolean => promptLength(adapted.methods) > 0;

/** One token more for each text of a lane; new ones begin. */
async function step(lane: Lane, programs: LanePrograms): Promise<void> {
  let beginning: readonly LaneText[] = [];
  try {
    await keep(
      lane,
      lane.rows.map(({ asked }) => !left(asked)),
    );
    const waits = lane.rows.length > 0 && lane.joining.some(({ adapter }) => prompted(adapter));
    beginning = waits ? [] : lane.joining.splice(0, promptsAtOnce).filter((text) => !left(text));
    if (lane.rows.length > 0) await goOn(lane, programs);
    if (beginning.length > 0) await begin(lane, beginning, programs);
  } catch (error) {
    const texts = [...lane.rows.map(({ asked }) => asked), ...beginning, ...lane.joining];
    lane.joining.splice(0);
    for (const text of texts) text.failed(error);
    await empty(lane).catch(() => undefined); // an engine that has ended holds nothing
  }
}

async function goOn(lane: Lane, programs: LanePrograms): Promise<void> {
  const { rows, past } = lane;
  if (!past) return;
  for (const row of rows) row.mask.push(1);
  const ids = rows.map(({ asked }) => asked.text.ids.slice(-1));
  const adapters = rows.map(({ asked }) => asked.adapter);
  const mask = rows.map((row) => row.mask);
  const logits = await programs(adapters, async (program) =>
    program.steps.run({ ids, mask, past, first: false }, await numbersOf(lane, program, adapters)),
  );
  await keep(
    lane,
    rows.map(({ asked }, at) => goesOn(asked, logits[at])),
  );
}

async function begin(lane: Lane, texts: readonly LaneText[], programs: LanePrograms): Promise<void> {
  const adapters = texts.map(({ adapter }) => adapter);
  const [first] = adapters;
  if (!first) return;
  const { sizes } = first.adapted.base.model;
  const { ids, mask } = paddedLeft(
    texts.map(({ text }) => text.ids),
    sizes.padId,
  );
  const begun: Lane = { ...emptyLane(), joining: [] };
  try {
    const logits = await programs(adapters, async (program) => {
      const past = program.steps.emptyPast(texts.length);
      begun.past = past;
      return program.steps.run({ ids, mask, past, first: true }, await numbersOf(begun, program, adapters));
    });
    begun.rows = texts.map((asked, at) => ({ asked, mask: [...(mask[at] ?? [])] }));
    await keep(
      begun,
      texts.map((asked, at) => goesOn(asked, logits[at])),
    );
    if (begun.past) await join(lane, begun, begun.past);
  } catch (error) {
    await empty(begun);
    throw error;
  }
}

/** Takes rows that have begun into a lane, with their numbers, which are the newest. */
async function join(lane: Lane, begun: Lane, past: Past): Promise<void> {
  if (lane.past) {
    await lane.past.join(past);
    lane.rows.push(...begun.rows);
    level(lane.rows, lane.past.lies().tokens);
  } else Object.assign(lane, { rows: begun.rows, past });
  const { numbers } = lane;
  lane.numbers = begun.numbers;
  begun.numbers = undefined;
  await numbers?.release();
}

/** The lane's numbers of rows' adapters, copied where it has not all of them. */
async function numbersOf(lane: Lane, { steps, copy }: LaneProgram, adapters: readonly AdapterNumbers[]): Promise<Fed> {
  const { numbers } = lane;
  if (numbers?.steps === steps && numbers.has(adapters)) return numbers.tensors(adapters);
  lane.numbers = undefined;
  await numbers?.release();
  const now = { steps, ...(await copy(adapters)) };
  lane.numbers = now;
  return now.tensors(adapters);
}

/** Chooses a text's next token and tells it; whether it goes on behind that. */
function goesOn(asked: LaneText, logits: Float32Array | undefined): boolean {
  if (left(asked)) return false;
  const { text, how, told, failed } = asked;
  try {
    const { settings } = how;
    const stream = random(settings.seed, `token of text ${text.row}`, text.ids.length - text.begun);
    const possible = withoutSuppressed(logits ?? new Float32Array(), text, how);
    told(appendToken(text, nextToken(possible, unrepeated(text, settings), settings, stream)));
    return !text.done;
  } catch (error) {
    failed(error);
    return false;
  }
}

/** Forgets the rows that are not kept, and the tokens in front that no row looks at any more. */
async function keep(lane: Lane, kept: readonly boolean[]): Promise<void> {
  if (kept.every(Boolean)) return;
  lane.rows = lane.rows.filter((_, row) => kept[row]);
  if (lane.rows.length === 0) return empty(lane);
  const { past } = lane;
  await past?.choose(kept.flatMap((each, row) => (each ? [row] : [])));
  const front = Math.min(...lane.rows.map(({ mask }) => Math.max(0, mask.indexOf(1))));
  if (front === 0) return;
  if (lane.rows.some(({ asked }) => prompted(asked.adapter))) return; // their keys stand in front of the padding
  past?.forget(front);
  for (const row of lane.rows) row.mask = row.mask.slice(front);
}

/** Forgets all rows, and gives back what the engine holds of them. */
async function empty(lane: Lane): Promise<void> {
  const { past, numbers } = lane;
  Object.assign(lane, emptyLane());
  await Promise.all([past?.release(), numbers?.release()]);
}

/** Makes the masks as long as the past, with nothing to look at in front. */
function level(rows: readonly Row[], tokens: number): void {
  for (const row of rows) row.mask = [...Array.from({ length: tokens - row.mask.length }, () => 0), ...row.mask];
}

import {
  type Answer,
  count,
  type GeneratedToken,
  type GenerateOptions,
  generate,
  headless,
  heads,
  InputError,
  isRecord,
  type Label,
  natural,
  nonnegative,
  type OpenBase,
  type OpenModel,
  objectiveOf,
  type PromptInput,
  readSettings,
  requireBase,
  shown,
  textAnswer,
  textVector,
  unadapted,
} from "@petl/core";
import { type BankAdapter, readBankAdapter, refuseChanged } from "./bank-adapter.ts";
import { rowPrograms } from "./bank-programs.ts";
import { type RowBatches, rowBatches } from "./bank-rows.ts";
import { type LocateOptions, locate } from "./locate.ts";

/** An adapter that a bank holds. Its digest is its identity; the name only points to it. */
export interface BankEntry {
  readonly name: string;
  /** SHA-256 of its files, lower-case hexadecimal */
  readonly digest: string;
  /** the methods, joined by + */
  readonly method: string;
  /** the labels' names in the order of their ids; empty where the task has none */
  readonly labels: readonly Label[];
  /** of its tensors in memory */
  readonly bytes: number;
  /** what of its configuration is passed over or changes nothing, in words */
  readonly remarks: readonly string[];
}

/** An adapter's name; null: the base as it is; or the adapter as `Bank.model` gave it, whatever has its name by now. */
type Asked = string | null | OpenModel;

interface ForAdapter {
  readonly adapter: Asked;
}
export interface BankText extends ForAdapter {
  readonly text: string;
  readonly textPair?: string | undefined;
}
export interface BankPrompt extends ForAdapter {
  readonly prompt: PromptInput;
}

/** What became of a prompt: the new tokens only. */
export interface BankCompletion {
  /** undefined without a tokenizer */
  readonly text: string | undefined;
  readonly ids: readonly number[];
  readonly finishReason: "stop" | "length";
}

const settings = {
  resident: natural(128, "adapters that are kept in memory; the others are read again when they are asked"),
  maxBatch: count(32, "rows that are computed together at most"),
  maxWait: nonnegative(2, "milliseconds that a row waits for others at most"),
};

export interface BankOptions {
  /** adapters that are kept in memory; the others are read again when they are asked. 128 where left out */
  readonly resident?: number;
  /** rows that are computed together at most; 32 where left out */
  readonly maxBatch?: number;
  /** milliseconds that a row waits for others at most; 2 where left out */
  readonly maxWait?: number;
}

export interface BankLoadOptions extends LocateOptions {
  /** take an adapter that changes nothing on a probe row, too */
  readonly neutral?: boolean;
}

/** Many adapters on one base. All calls may overlap. */
export interface Bank {
  readonly base: OpenBase;
  /**
   * Reads an adapter and tries it on a probe row. Under a name in use it takes the other's place: rows that were asked
   * before are answered by the old one.
   * @throws InputError naming it: another base's, cut, with numbers that are none, pickled, or one that changes nothing
   */
  load(name: string, source: string, options?: BankLoadOptions): Promise<BankEntry>;
  /** Forgets a name. Rows that were asked before are still answered. */
  unload(name: string): Promise<void>;
  list(): readonly BankEntry[];
  /** The adapter as an open model. Training it leaves the bank's as it is. */
  model(adapter: string | null): Promise<OpenModel>;
  predict(rows: readonly BankText[]): Promise<readonly Answer[]>;
  /** A vector for each text, as `embed` makes it. */
  embed(rows: readonly BankText[]): Promise<readonly Float32Array[]>;
  generate(rows: readonly BankPrompt[], options?: GenerateOptions): Promise<readonly BankCompletion[]>;
  /** One row's tokens as they come. */
  stream(row: BankPrompt, options?: GenerateOptions): AsyncGenerator<GeneratedToken, void, void>;
  /** Ends what the bank computes with; the base stays open. */
  close(): Promise<void>;
}

/** Opens a bank of adapters over a base; rows whose adapters are of one kind are computed together. */
export async function openBank(base: OpenBase, given: BankOptions = {}): Promise<Bank> {
  requireBase(base);
  const { resident, maxBatch, maxWait } = readSettings(settings, given);
  const programs = rowPrograms(base, maxBatch);
  const shelf = openShelf(base, resident, programs.shared);
  const batches = rowBatches(programs, { maxBatch, maxWait });
  const inTurn = turnsByName();
  let closed = false;
  const check = () => {
    if (closed) throw new InputError("the bank is closed; open it again");
  };
  const checkRows = <R extends ForAdapter>(rows: readonly R[], field: keyof R & string): void => {
    check();
    requireRows(rows, field);
  };
  return {
    base,
    async load(name, source, options = {}) {
      check();
      if (typeof name !== "string" || name === "")
        throw new InputError(`an adapter's name is ${shown(name)}; it must be a text`);
      return inTurn(name, async () =>
        shelf.put(name, await locate(source, options), options.neutral ?? false, batches),
      );
    },
    async unload(name) {
      check();
      return inTurn(name, async () => shelf.take(name));
    },
    list: () => shelf.list(),
    async model(name) {
      check();
      return shelf.open(name);
    },
    async predict(rows) {
      checkRows(rows, "text");
      const models = rows.map(({ adapter }) => shelf.model(adapter));
      return Promise.all(rows.map(async (row, at) => predictRow(await nth(models, at), row, batches)));
    },
    async embed(rows) {
      checkRows(rows, "text");
      const models = rows.map(({ adapter }) => shelf.vectors(adapter));
      const { pooling, vector } = textVector(base);
      const asked = rows.map(async (row, at) => batches.ask(await nth(models, at), pooling, row));
      return (await Promise.all(asked)).map(({ logits }) => vector(logits));
    },
    async generate(rows, options = {}) {
      checkRows(rows, "prompt");
      const models = rows.map(({ adapter }) => shelf.model(adapter));
      return Promise.all(rows.map(async ({ prompt }, at) => completion(await nth(models, at), prompt, options)));
    },
    async *stream(row, options = {}) {
      checkRows([row], "prompt");
      yield* generate(await shelf.model(row.adapter), row.prompt, options);
    },
    close() {
      closed = true;
      return programs.release();
    },
  };
}

/** Work on a name begins when all that was asked of it before has ended, so that the last word counts. */
function turnsByName() {
  const last = new Map<string, Promise<unknown>>();
  return <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work);
    const ended = turn
      .catch(() => undefined)
      .then(() => {
        if (last.get(name) === ended) last.delete(name);
      });
    last.set(name, ended);
    return turn;
  };
}

/** @throws InputError with every row that names no adapter, or has nothing to be asked */
function requireRows(rows: readonly ForAdapter[], field: string): void {
  if (!Array.isArray(rows)) throw new InputError(`rows are ${shown(rows)}; they must be a list`);
  const problems = rows.flatMap((row: unknown, at) => {
    if (!isRecord(row)) return [`row ${at} is ${shown(row)}; it must be an object of adapter and ${field}`];
    const { adapter, [field]: asked } = row;
    const names = adapter === null || typeof adapter === "string" || isRecord(adapter);
    const says = asked !== undefined && (field !== "text" || typeof asked === "string");
    return [
      ...(names ? [] : [`row ${at}: adapter is ${shown(adapter)}; it must be a name, or null for the base alone`]),
      ...(says ? [] : [`row ${at}: ${field} is ${shown(asked)}; it must be ${field === "text" ? "a text" : "given"}`]),
    ];
  });
  if (problems.length > 0) throw new InputError(problems);
}

async function nth<T>(all: readonly Promise<T>[], at: number): Promise<T> {
  const found = all[at];
  if (!found) throw new RangeError(`${at} of ${all.length}`);
  return found;
}

async function predictRow(model: OpenModel, row: BankText, batches: RowBatches): Promise<Answer> {
  const { task } = model.adapted.goal;
  if (heads[objectiveOf(task).head].of !== "text")
    throw new InputError(
      `${typeof row.adapter === "string" ? row.adapter : model.base.name} is for ${task}, and gives whole texts no labels`,
    );
  return textAnswer(await batches.ask(model, "logits", row), model);
}

async function completion(model: OpenModel, prompt: PromptInput, options: GenerateOptions): Promise<BankCompletion> {
  const ids: number[] = [];
  let text = "";
  let end: GeneratedToken["end"];
  for await (const token of generate(model, prompt, options)) {
    ids.push(token.id);
    text += token.text;
    end = token.end;
  }
  return { ids, text: model.base.tokenizer && text, finishReason: end === "length" ? "length" : "stop" };
}

interface Standing extends BankAdapter {
  readonly entry: BankEntry;
  resident: Promise<OpenModel> | undefined;
}

/** The adapters by name, of which those asked last are in memory. */
function openShelf(base: OpenBase, resident: number, shared: (model: OpenModel) => OpenModel) {
  const byName = new Map<string, Standing>();
  const recent = new Set<Standing>();
  let plain: Promise<OpenModel> | undefined;
  let bare: Promise<OpenModel> | undefined;
  const touch = (standing: Standing) => {
    recent.delete(standing);
    recent.add(standing);
    for (const oldest of recent) {
      if (recent.size <= resident) break;
      oldest.resident = undefined;
      recent.delete(oldest);
    }
  };
  const open = (standing: Standing): Promise<OpenModel> => {
    standing.resident ??= readBankAdapter(base, standing.folder).then((read) => {
      refuseChanged(standing, read);
      return shared(read.model);
    });
    standing.resident.catch(() => {
      standing.resident = undefined;
    });
    touch(standing);
    return standing.resident;
  };
  const named = (name: string): Standing => {
    const found = byName.get(name);
    if (found) return found;
    const names = [...byName.keys()];
    throw new InputError(`there is no adapter ${JSON.stringify(name)}; loaded: ${names.join(", ") || "none"}`);
  };
  /** what was given out, which may be trained then, and whose numbers it began with */
  const given = new WeakMap<OpenModel, OpenModel>();
  const adapter = async (asked: string | OpenModel): Promise<OpenModel> => {
    if (typeof asked === "string") return open(named(asked));
    if (asked.base?.engine !== base.engine) throw new InputError("an adapter of another base cannot be asked here");
    const own = given.get(asked);
    return own?.phi.values === asked.phi.values ? own : asked;
  };
  const model = (asked: Asked): Promise<OpenModel> => {
    if (asked !== null) return adapter(asked);
    plain ??= unadapted(base);
    return plain;
  };
  return {
    async put(name: string, folder: string, neutral: boolean, batches: RowBatches): Promise<BankEntry> {
      try {
        const read = await readBankAdapter(base, folder);
        const loaded = shared(read.model);
        if (!neutral) await batches.refuseNeutral(loaded);
        const { digest, bytes } = read;
        const entry = {
          name,
          digest,
          method: methodsOf(loaded),
          labels: loaded.labels,
          bytes,
          remarks: loaded.remarks,
        };
        const standing: Standing = { folder, digest, bytes, entry, resident: Promise.resolve(loaded) };
        const old = byName.get(name);
        if (old) recent.delete(old);
        byName.set(name, standing);
        touch(standing);
        return entry;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        throw new InputError(error.problems.map((problem) => `adapter ${JSON.stringify(name)}: ${problem}`));
      }
    },
    take(name: string): void {
      recent.delete(named(name));
      byName.delete(name);
    },
    list: (): readonly BankEntry[] => [...byName.values()].map(({ entry }) => entry),
    model,
    /** A model of its own over the same numbers, which a training leaves to the bank. */
    async open(asked: Asked): Promise<OpenModel> {
      const own = await model(asked);
      const view = { ...own, phi: { ...own.phi } };
      given.set(view, given.get(own) ?? own);
      return view;
    },
    /** A base gives vectors whatever head it has. */
    vectors(asked: Asked): Promise<OpenModel> {
      if (asked !== null) return adapter(asked);
      bare ??= headless(base);
      return bare;
    },
  };
}

const methodsOf = ({ adapted }: OpenModel): string => adapted.methods.map(({ name }) => name).join("+");

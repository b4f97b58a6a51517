import { type Engine, type HfModel, readBase, type Tokenizer } from "@petl/core";
import { directory } from "../disk/files.ts";
import { workerEngine } from "../engine/worker-engine.ts";
import { openTokenizer } from "../open-tokenizer.ts";
import { type LocateOptions, locate } from "./locate.ts";

/** A base model with what computes it. Any number of adapters may stand on it at once; its weights are held once. */
export interface OpenBase extends HfModel {
  /** the folder of its files */
  readonly path: string;
  /** undefined where the folder has none; rows must then come as tokens */
  readonly tokenizer: Tokenizer | undefined;
  readonly engine: Engine;
  /** Ends the thread that computes; nothing can be computed with this base, or what stands on it, afterwards. */
  close(): Promise<void>;
}

export interface OpenBaseOptions extends Omit<LocateOptions, "weights" | "signal"> {
  /** threads that share one operator's work; the machine's cores where left out */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a base model: a folder with Hugging Face's config.json, safetensors and tokenizer files, a hub id
 * (`owner/name[@revision]`, downloaded where it isn't there yet) or the name of a bundled base. It is computed in a
 * thread of its own, so that this one stays free; an idle base does not keep the process alive. Once `signal` is
 * aborted, nothing new is computed.
 *
 * @throws InputError for what the caller can mend, MachineError for what network or disk deny
 */
export async function openBase(name: string, options: OpenBaseOptions = {}): Promise<OpenBase> {
  const { signal, threads, ...where } = options;
  const path = await locate(name, signal ? { ...where, signal } : where);
  const [model, tokenizer] = await Promise.all([readBase(directory(path)), openTokenizer(path)]);
  const engine = await workerEngine(path, model.checkpoint?.files ?? [], { threads });
  return {
    ...model,
    ...{ name, path, tokenizer },
    engine: signal ? interruptible(engine, signal) : engine,
    close: engine.close,
  };
}

/** The same engine, which refuses to begin anything once the signal is aborted. */
function interruptible(engine: Engine, signal: AbortSignal): Engine {
  return {
    ...engine,
    async createSession(graph) {
      signal.throwIfAborted();
      const session = await engine.createSession(graph);
      return {
        ...session,
        run(inputs, into, lender) {
          signal.throwIfAborted();
          return session.run(inputs, into, lender);
        },
      };
    },
  };
}

import type { Pooling } from "../nn/pooling.ts";
import type { Task } from "../objectives/objectives.ts";

/** What an adapted model is for. */
export interface Goal {
  readonly task: Task;
  /** number of the head's outputs; ignored where they are the vocabulary */
  readonly labels: number;
  /** what the head reads of a text: what Hugging Face's class does, or another vector */
  readonly pooling?: Pooling | undefined;
  /** whether the head is trained; left out: it is, but for the language-model head of a checkpoint that has one */
  readonly trainsHead?: boolean | undefined;
  /** modules of the base that are trained whole and saved together with the head, `bert.pooler` */
  readonly savedModules?: readonly string[] | undefined;
  /** a language model's teacher: the length of the vectors that it gives whole texts, which the model learns to give too */
  readonly teacher?: { readonly size: number } | undefined;
}

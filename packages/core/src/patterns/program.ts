import type { CharacterTest } from "./characters.ts";
import { PatternError } from "./pattern-error.ts";
import type { Expression, TextPlace } from "./syntax.ts";

/** A step of a matching program; what it doesn't name goes on with the next one. */
export type Step =
  | { readonly kind: "character"; readonly test: CharacterTest }
  /** either of two ways, the first one preferred; `number` tells it from other splits */
  | { readonly kind: "split"; first: number; second: number; readonly number: number }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "place"; readonly place: TextPlace }
  | {
      readonly kind: "look";
      readonly program: PatternProgram;
      readonly negative: boolean;
      /** characters in front of the place where it begins; undefined where it looks ahead */
      readonly back: number | undefined;
    }
  | { readonly kind: "match" };

export interface PatternProgram {
  readonly steps: readonly Step[];
  /** how many of them are splits */
  readonly splits: number;
}

/** Counted repetitions are written out, so that a short pattern could make a long program. */
const mostSteps = 20_000;

/**
 * A pattern's program for a backtracking machine (Thompson's construction).
 * @throws PatternError for a program that is too long, and for one that looks back over no fixed length
 */
export function compileProgram(tree: Expression): PatternProgram {
  const steps: Step[] = [];
  const writing = { steps, splits: 0 };
  write(writing, tree);
  add(writing, { kind: "match" });
  return { steps, splits: writing.splits };
}

interface Writing {
  readonly steps: Step[];
  splits: number;
}

function add({ steps }: Writing, step: Step): void {
  if (steps.length >= mostSteps) throw new PatternError(`it has more than ${mostSteps} steps`);
  steps.push(step);
}

function addSplit(writing: Writing): Extract<Step, { kind: "split" }> {
  const split = { kind: "split" as const, first: 0, second: 0, number: writing.splits++ };
  add(writing, split);
  return split;
}

function write(writing: Writing, tree: Expression): void {
  switch (tree.kind) {
    case "character":
    case "place":
      add(writing, tree);
      break;
    case "sequence":
      for (const item of tree.items) write(writing, item);
      break;
    case "choice":
      writeChoice(writing, tree.items);
      break;
    case "repeat":
      writeRepeat(writing, tree);
      break;
    case "look": {
      const back = tree.ahead ? undefined : widthOf(tree.item);
      add(writing, { kind: "look", program: compileProgram(tree.item), negative: tree.negative, back });
    }
  }
}

function writeChoice(writing: Writing, items: readonly Expression[]): void {
  const jumps: Extract<Step, { kind: "jump" }>[] = [];
  for (const [index, item] of items.entries()) {
    const split = index < items.length - 1 ? addSplit(writing) : undefined;
    if (split) split.first = writing.steps.length;
    write(writing, item);
    if (!split) continue;
    const jump = { kind: "jump" as const, to: 0 };
    add(writing, jump);
    jumps.push(jump);
    split.second = writing.steps.length;
  }
  for (const jump of jumps) jump.to = writing.steps.length;
}

function writeRepeat(writing: Writing, tree: Extract<Expression, { kind: "repeat" }>): void {
  const { item, least, most, greedy } = tree;
  for (let copy = 0; copy < least; copy++) write(writing, item);
  const optional = (more: () => void) => {
    const split = addSplit(writing);
    const inside = writing.steps.length;
    more();
    const behind = writing.steps.length;
    [split.first, split.second] = greedy ? [inside, behind] : [behind, inside];
  };
  if (most === Number.POSITIVE_INFINITY) {
    const start = writing.steps.length;
    optional(() => {
      write(writing, item);
      add(writing, { kind: "jump", to: start });
    });
  } else for (let copy = least; copy < most; copy++) optional(() => write(writing, item));
}

/** How many characters an expression takes, where it is always as many. */
function widthOf(tree: Expression): number {
  switch (tree.kind) {
    case "character":
      return 1;
    case "place":
    case "look":
      return 0;
    case "sequence":
      return tree.items.reduce((sum, item) => sum + widthOf(item), 0);
    case "repeat":
      if (tree.least === tree.most) return tree.least * widthOf(tree.item);
      break;
    case "choice": {
      const widths = new Set(tree.items.map(widthOf));
      if (widths.size === 1) return [...widths][0] ?? 0;
    }
  }
  throw new PatternError("it looks back over texts of different lengths");
}

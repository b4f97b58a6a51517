import type { PostProcessor } from "./tokenizer-files.ts";

/** A piece of a template: ids that stand there always, or the place of a text. */
type Piece =
  | { readonly kind: "ids"; readonly ids: readonly number[]; readonly type: number }
  | { readonly kind: "text"; readonly text: "A" | "B"; readonly type: number };

/** What stands around one text and around two, with the token type of every part. */
export interface Template {
  readonly single: readonly Piece[];
  readonly pair: readonly Piece[];
}

/** Number of ids that a template adds to its texts. */
export function addedCount(pieces: readonly Piece[]): number {
  return pieces.reduce((count, piece) => count + (piece.kind === "ids" ? piece.ids.length : 0), 0);
}

/** Whether the template tells its two texts apart by type, as BERT's does and RoBERTa's does not. */
export function hasTypes(template: Template): boolean {
  return template.pair.some((piece) => piece.type !== 0);
}

/** Puts the texts' ids into their places: ids and token types of the same length. */
export function fill(
  pieces: readonly Piece[],
  texts: { readonly A: readonly number[]; readonly B: readonly number[] },
): { readonly ids: Int32Array; readonly types: Int32Array } {
  const ids: number[] = [];
  const types: number[] = [];
  for (const piece of pieces) {
    for (const id of piece.kind === "ids" ? piece.ids : texts[piece.text]) {
      ids.push(id);
      types.push(piece.type);
    }
  }
  return { ids: Int32Array.from(ids), types: Int32Array.from(types) };
}

const text = (name: "A" | "B", type: number): Piece => ({ kind: "text", text: name, type });
const ids = (id: number, type: number): Piece => ({ kind: "ids", ids: [id], type });

const bare: Template = { single: [text("A", 0)], pair: [text("A", 0), text("B", 0)] };

/** The template that a tokenizer file's `post_processor` stands for; one that adds nothing puts the texts side by side. */
export function templateOf(processor: PostProcessor | null | undefined): Template {
  switch (processor?.type) {
    case "TemplateProcessing": {
      const pieces = (items: typeof processor.single): Piece[] =>
        items.map((item) => {
          if ("Sequence" in item) return text(item.Sequence.id, item.Sequence.type_id);
          const { id, type_id } = item.SpecialToken;
          return { kind: "ids", ids: processor.special_tokens[id]?.ids ?? [], type: type_id };
        });
      return { single: pieces(processor.single), pair: pieces(processor.pair) };
    }
    case "BertProcessing": {
      const [[, cls], [, sep]] = [processor.cls, processor.sep];
      const single = [ids(cls, 0), text("A", 0), ids(sep, 0)];
      return { single, pair: [...single, text("B", 1), ids(sep, 1)] };
    }
    case "RobertaProcessing": {
      const [[, cls], [, sep]] = [processor.cls, processor.sep];
      const single = [ids(cls, 0), text("A", 0), ids(sep, 0)];
      return { single, pair: [...single, ids(sep, 0), text("B", 0), ids(sep, 0)] };
    }
    case "Sequence":
      return processor.processors.map(templateOf).find((template) => template !== bare) ?? bare;
    default:
      return bare;
  }
}

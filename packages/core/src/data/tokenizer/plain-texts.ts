/** The library's steps that look at every letter of a text, although most texts have nothing that they change. */
interface BertStep {
  readonly config: { readonly type: string; readonly clean_text?: boolean; readonly lowercase?: boolean };
  normalize: (text: string) => string;
}

interface Splitter {
  split: (text: string) => string[];
}

const isBertStep = (step: unknown): step is BertStep =>
  step instanceof Object &&
  "clean_text" in step &&
  "normalize" in step &&
  "config" in step &&
  step.config instanceof Object &&
  Reflect.get(step.config, "type") === "BertNormalizer";

/** ASCII without control characters but those that are blanks: no accents, no ideographs, nothing to be cleaned away. */
const plain = /^[\t\n\r -~]*$/;

/** Lets BERT's normalizer pass plain texts through by what it does to them: blanks are spaces, capitals are small. */
export function passPlainTexts(step: unknown): void {
  if (!isBertStep(step)) return;
  const { config } = step;
  const whole = step.normalize.bind(step);
  step.normalize = (text) => {
    if (!plain.test(text)) return whole(text);
    const clean = config.clean_text ? text.replaceAll(/[\t\n\r]/g, " ") : text;
    return config.lowercase ? clean.toLowerCase() : clean;
  };
}

/** Lets texts without the first letter of any added token pass the splitting at such tokens. */
export function passWithoutTokens(splitter: unknown, tokens: readonly string[]): void {
  if (!isSplitter(splitter)) return;
  const begins = new Set(tokens.map((token) => token.charCodeAt(0)));
  const whole = splitter.split.bind(splitter);
  splitter.split = (text) => {
    for (let at = 0; at < text.length; at++) if (begins.has(text.charCodeAt(at))) return whole(text);
    return text === "" ? [] : [text];
  };
}

const isSplitter = (value: unknown): value is Splitter => value instanceof Object && "split" in value;

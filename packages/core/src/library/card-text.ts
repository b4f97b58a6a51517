/** Characters of the longest name that a card shows whole. */
const longest = 500;

/** Line ends, controls, and signs that turn the direction of writing: a name is one line, read from left to right. */
const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const oneLine = (text: string): string => {
  const clean = text.replace(controls, " ");
  return clean.length <= longest ? clean : `${clean.slice(0, longest)} …`;
};

/** A text in Markdown that is only text: every sign that could be markup, a link or HTML is a number. */
export const plainMarkdown = (text: string): string =>
  oneLine(text).replace(markup, (signs) => Array.from(signs, (sign) => `&#${sign.codePointAt(0)};`).join(""));

/** An underscore within a word is one to every reader. */
const markup = /[\\`*[\]<>#|&~$@!]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|:(?=\/\/)|^-+$|www\./gu;

/** A text as a string of YAML, Python, TypeScript and JSON, all of which read these escapes. */
export const quoted = (text: string): string => JSON.stringify(oneLine(text));

/** A text as one word of a shell. */
export const shellWord = (text: string): string => {
  const clean = oneLine(text);
  return /^[\w./@:-]+$/.test(clean) && !clean.startsWith("-") ? clean : `'${clean.replaceAll("'", `'\\''`)}'`;
};

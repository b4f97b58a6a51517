/** A line that is longer is given in pieces, so that a file without line ends needs no more memory than others. */
const longestLine = 2 ** 16;

/** The lines of a text that comes in pieces, without their ends. */
export async function* linesInPieces(pieces: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length < longestLine) continue;
    const end = rest.lastIndexOf(" ") + 1 || rest.length;
    yield rest.slice(0, end);
    rest = rest.slice(end);
  }
  if (rest !== "") yield rest;
}

/** Lines that decide whether a text is wrapped, and the longest that a wrapped one has. */
const [linesSeen, widest] = [200, 120];
/** A wrapped paragraph is parted where it grows beyond this, at the end of a line. */
const longestParagraph = 8000;

/**
 * The paragraphs of a text. Where its first lines are all short it is wrapped: a paragraph ends at an empty line, or with
 * a short line that ends a sentence, and its lines are joined. Otherwise every line is a paragraph.
 */
export async function* paragraphsOf(lines: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let wrapped: boolean | undefined;
  let [waiting, joined]: [string[], string] = [[], ""];
  function* add(line: string): Generator<string> {
    if (!wrapped) {
      if (line !== "") yield line;
      return;
    }
    if (line !== "") joined = joined === "" ? line : `${joined} ${line}`;
    const ended = line === "" || joined.length > longestParagraph || endsParagraph(line);
    if (!ended || joined === "") return;
    yield joined;
    joined = "";
  }
  const decide = function* () {
    wrapped = waiting.every((line) => line.length <= widest);
    for (const line of waiting) yield* add(line);
    waiting = [];
  };
  for await (const each of lines) {
    const line = each.trim();
    if (wrapped !== undefined) yield* add(line);
    else if (waiting.push(line) === linesSeen) yield* decide();
  }
  yield* decide();
  if (joined !== "") yield joined;
}

const endsParagraph = (line: string): boolean => line.length < 50 && /[.!?…]["'”’)\]_]*$/.test(line);

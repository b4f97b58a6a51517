import { isNone } from "./cells.ts";
import { alikeRows, labelText, rowIndex } from "./equal-rows.ts";
import { type ExampleSet, isLabelled, type Label } from "./examples.ts";
import { type CountedLabels, countLabels } from "./labels.ts";
import { hasZero, saysMore } from "./packed-texts.ts";
import { shownLabel } from "./shown-label.ts";
import { withCommas } from "./with-commas.ts";

/**
 * What a user should know of the rows to train on, in words: how many there are, of each label too, which columns are read
 * and which not, and what looks wrong: empty texts, zero bytes, texts and labels that stand for none, labels of several types,
 * that differ by case only or look the same, labels of one row, lists and numbers that are written so that they are texts,
 * copies of rows, texts that have several labels, and rows that the validation has too.
 */
export function rowRemarks(set: ExampleSet, validation?: ExampleSet): readonly string[] {
  const known = countLabels(set);
  return [
    `${set.name}: ${counted(set.examples.length, "row")}${labelCounts(set, known)}`,
    ...filesByColumns(set).flatMap((file) => columnsRead(file, set)),
    ...columnsNotRead(set),
    ...(set.remarks ?? []),
    ...emptyTexts(set),
    ...zeros(set),
    ...(countsClasses(known) ? [...sameInAnotherCase(known), ...sameInLooks(known), ...ofOneRow(set, known)] : []),
    ...labelsOfNone(known),
    ...labelsOfSeveralTypes(known),
    ...decimalCommas(known),
    ...numbersWithSigns(known),
    ...writtenLists(known),
    ...joinedLabels(known),
    ...sharedRows(set, validation),
  ];
}

const counted = (count: number, what: string) => `${withCommas(count)} ${what}${count === 1 ? "" : "s"}`;
const mostShown = 20;

function shown<T>(items: readonly T[], write: (item: T) => string): string {
  const first = items.slice(0, mostShown).map(write).join(", ");
  return items.length > mostShown ? `${first}, … (${items.length})` : first;
}

/** Whether labels may be names: numbers with fractions, or that hardly come twice, are measured values. */
const countsClasses = ({ labels }: CountedLabels): boolean => {
  if (labels.some((label) => typeof label !== "number" && !isWrittenNumber(label))) return true;
  return labels.length > 0 && labels.length <= 1000 && !labels.some(isFraction);
};

const isWrittenNumber = (label: Label) => /^-?\d+(?:[.,]\d+)?$/.test(String(label));
const isFraction = (label: Label) => /^-?\d+\.\d*[1-9]\d*$/.test(String(label));

function labelCounts(set: ExampleSet, { labels, counts }: CountedLabels): string {
  if (!isLabelled(set) || labels.length === 0 || labels.some(isFraction)) return "";
  return `; ${shown(labels, (label) => `${shownLabel(label)}: ${withCommas(counts.get(String(label)) ?? 0)}`)}`;
}

type File = Pick<ExampleSet, "name" | "columns">;

/** Of files that are read alike the first one. */
function filesByColumns(set: ExampleSet): readonly File[] {
  const known = new Set<string>();
  return (set.files ?? [set]).filter(({ columns }) => known.size !== known.add(JSON.stringify(columns)).size);
}

/** Which columns texts and labels come from. */
function columnsRead(
  { name, columns: { text, pair, label } }: File,
  { examples: [first] }: ExampleSet,
): readonly string[] {
  if (first?.kind !== "text") return [];
  const texts = [text, pair].filter((column) => column !== undefined);
  const where = `text in ${texts.map((column) => `"${column}"`).join(" and ")}`;
  return [`${name}: ${where}${label === undefined ? "" : `, labels in "${label}"`}`];
}

/** Which columns are left out. */
export function columnsNotRead(set: ExampleSet): readonly string[] {
  return filesByColumns(set).flatMap(({ name, columns: { leftOut = [] } }) =>
    leftOut.length === 0 ? [] : [`${name}: not read: ${shown(leftOut, (column) => `"${column}"`)}`],
  );
}

const isBlank = (...texts: readonly (string | undefined)[]) => texts.every((text = "") => text.trim() === "");

/** Rows that say nothing, or what stands for nothing. */
function emptyTexts(set: ExampleSet): readonly string[] {
  const empty: number[] = [];
  const none: number[] = [];
  let word = "";
  for (const [row, example] of set.examples.entries()) {
    if (example.kind === "completion" && isBlank(example.prompt, example.completion)) empty.push(row);
    if (example.kind !== "text" || saysMore(example)) continue;
    const { text } = example; // made once, since it may lie packed
    if (isBlank(text) && isBlank(example.pair)) empty.push(row);
    if (!isNone(text)) continue;
    if (none.length === 0) word = text;
    none.push(row);
  }
  return [...firstOf(set, empty, "with an empty text"), ...firstOf(set, none, `whose text is "${word}" or the like`)];
}

const firstOf = (set: ExampleSet, [first, ...others]: readonly number[], what: string): readonly string[] =>
  first === undefined ? [] : [`${counted(1 + others.length, "row")} ${what}, the first of them ${set.placeOf(first)}`];

/** Rows whose letters no editor shows: a damaged file, or another encoding than the one that it was read in. */
function zeros(set: ExampleSet): readonly string[] {
  const rows: number[] = [];
  for (const [row, example] of set.examples.entries()) if (hasZero(example)) rows.push(row);
  return firstOf(set, rows, "with a zero byte in the text");
}

function labelsOfNone({ labels }: CountedLabels): readonly string[] {
  const none = labels.filter((label) => typeof label === "string" && isNone(label));
  return none.length === 0
    ? []
    : [`labels that may stand for none are classes: ${shown(none, shownLabel)}; leave their rows out if they are none`];
}

const typesOfLabels = [
  ["number", "numbers"],
  ["boolean", "truth values"],
  ["string", "texts"],
] as const;

/** Labels of JSON or a workbook that mean the same, it may be, and are written otherwise. */
function labelsOfSeveralTypes({ labels }: CountedLabels): readonly string[] {
  const found = typesOfLabels.flatMap(([type, name]) => {
    const first = labels.find((label) => typeof label === type);
    return first === undefined ? [] : [`${name} (${shownLabel(first)})`];
  });
  return found.length < 2 ? [] : [`labels are ${found.join(" and ")} at once, each a label of its own`];
}

const sameInAnotherCase = (known: CountedLabels): readonly string[] =>
  alikeLabels(known, "differ by case only", (name) => name.toLowerCase());

/** Letters that one program writes whole and another with its accent apart; spaces of several kinds. */
const sameInLooks = (known: CountedLabels): readonly string[] =>
  alikeLabels(known, "look the same", (name) => name.normalize("NFKC").replace(/\s+/g, " "));

/** Labels that are one by this rule, and yet labels of their own. */
function alikeLabels({ labels }: CountedLabels, how: string, ruled: (name: string) => string): readonly string[] {
  const spellings = new Map<string, string[]>();
  for (const name of labels.map(String)) {
    const alike = spellings.get(ruled(name));
    if (alike) alike.push(name);
    else spellings.set(ruled(name), [name]);
  }
  const several = [...spellings.values()].filter((names) => names.length > 1);
  return several.length === 0
    ? []
    : [`labels that ${how} are labels of their own: ${shown(several, (names) => names.map(shownLabel).join("/"))}`];
}

function ofOneRow(set: ExampleSet, { counts }: CountedLabels): readonly string[] {
  const lone = [...counts].filter(([, count]) => count === 1).map(([name]) => name);
  if (lone.length === 0 || set.examples.length < 10) return [];
  const most = lone.length > set.examples.length / 2;
  const { label } = set.columns;
  const doubt = most && label !== undefined ? `; is "${label}" the column of the labels?` : "";
  return [`labels of one row: ${shown(lone, shownLabel)}${doubt}`];
}

function decimalCommas({ labels }: CountedLabels): readonly string[] {
  const comma = /^[+-]?(?:\d+|\d{1,3}(?:[. ]\d{3})+),\d+$/;
  const commas = labels.filter((label) => typeof label === "string" && comma.test(label));
  return commas.length === 0
    ? []
    : [`labels with a decimal comma are texts, not numbers: ${shown(commas, String)}; write them with a point`];
}

function numbersWithSigns({ labels }: CountedLabels): readonly string[] {
  const sign = /^(?:[€$£] ?[+-]?\d[\d.,]*|[+-]?\d[\d.,]* ?[%€$£]|[+-]?\d{1,3}(?:,\d{3}){2,})$/;
  const signed = labels.filter((label) => typeof label === "string" && sign.test(label));
  return signed.length === 0
    ? []
    : [`labels that are numbers with a sign are texts: ${shown(signed, String)}; write them bare`];
}

/** Lists that a cell holds as a text, which make every combination a class of its own. */
function writtenLists({ labels }: CountedLabels): readonly string[] {
  const lists = labels.filter((label) => typeof label === "string" && /^\[.*\]$/s.test(label));
  return lists.length === 0
    ? []
    : [
        `labels that are written as lists are one label each: ${shown(lists, shownLabel)}; for several labels a row give JSONL with lists, or cells and \`labelSeparator\``,
      ];
}

/** Labels of which one part is a label too: several in one cell, which make every combination a class of its own. */
function joinedLabels({ labels }: CountedLabels): readonly string[] {
  const names = labels.filter((label) => typeof label === "string");
  const known = new Set<unknown>(names);
  return [";", "|", ","].flatMap((separator) => {
    const parts = (name: string) => name.split(separator).map((part) => part.trim());
    const joined = names
      .map(String)
      .filter((name) => name.includes(separator) && parts(name).some((one) => known.has(one)));
    return joined.length === 0
      ? []
      : [
          `labels that hold others are one label each: ${shown(joined, shownLabel)}; for several labels a row say \`labelSeparator: "${separator}"\``,
        ];
  });
}

/**
 * What copies among rows mean: how many there are, those of a file that weighs more left aside, and texts that have
 * several labels, of which no model can give more than one.
 * @param parted whether rows are held out of these by chance
 */
export function copyRemarks(set: ExampleSet, parted: boolean, found = alikeRows(set)): readonly string[] {
  const { first: alike, different } = found;
  const { examples } = set;
  if (different === examples.length) return [];
  const copies: number[] = [];
  for (const [row, first] of alike.entries()) if (first !== row && examples[row] !== examples[first]) copies.push(row);
  const [first] = copies;
  if (first === undefined) return [];
  const other = copies.filter((row) => labelText(examples[row]!) !== labelText(examples[alike[row] ?? row]!));
  const where = (row: number) => `${set.placeOf(row)} as ${set.placeOf(alike[row] ?? row)}`;
  const held = parted ? "; they are held out together and scored once" : "";
  return [
    `${counted(copies.length, "row")} say what another one says, the first of them ${where(first)}${held}`,
    ...(other[0] === undefined
      ? []
      : [
          `${counted(other.length, "row")} give a text another label than its first row, the first of them ${where(other[0])}`,
        ]),
  ];
}

/** Rows that stand on both sides make the measured result better than it is. */
function sharedRows(set: ExampleSet, validation: ExampleSet | undefined): readonly string[] {
  if (!validation || validation.examples.length === 0) return [];
  const scored = rowIndex(validation.examples); // the fewer rows, as a rule
  const firsts = validation.examples.map((example, row) => scored.add(example, row));
  const learnt = new Set(set.examples.map((example) => scored.find(example)));
  const rows = [...firsts.keys()].filter((row) => learnt.has(firsts[row]));
  const [first] = rows;
  if (first === undefined) return [];
  const count = rows.length;
  return [
    `${counted(count, "row")} of the validation stand in the training rows too, the first of them ${validation.placeOf(first)}`,
  ];
}

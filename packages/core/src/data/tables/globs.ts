/**
 * Whether a path is one that a pattern of a data set's card means: `*` and `?` stand for letters of a name, `**` for any
 * folders, `[01]` for one of the letters, `{a,b}` for one of the texts. A folder's own name means all below it.
 */
export function matchesGlob(pattern: string, path: string): boolean {
  const parts = path.split("/");
  return alternatives(pattern).some((each) => {
    const wanted = each.replace(/^\.\//, "").replace(/\/+$/, "").split("/");
    return meets(wanted, parts) || meets([...wanted, "**"], parts);
  });
}

/** More than anybody writes in braces. */
const mostAlternatives = 1000;

/** A pattern without braces for each choice that its braces give. */
function alternatives(pattern: string): readonly string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined && done.length + open.length < mostAlternatives; next = open.pop()) {
    const [whole, inner] = /\{([^{}]*)\}/.exec(next) ?? [];
    if (whole === undefined || inner === undefined) done.push(next);
    else for (const choice of inner.split(",")) open.push(next.replace(whole, () => choice));
  }
  return done;
}

const meets = (wanted: readonly string[], parts: readonly string[]): boolean =>
  reaches(wanted, parts, (part) => part === "**", letters);

const letters = (wanted: string, name: string): boolean =>
  reaches(wanted.match(/\[[^\]]*\]|./gsu) ?? [], [...name], (part) => part === "*", oneLetter);

function oneLetter(wanted: string, letter: string): boolean {
  if (wanted === "?" || wanted === letter) return true;
  return wanted.length > 2 && wanted.startsWith("[") && wanted.slice(1, -1).includes(letter);
}

/** Whether a list of parts is met by wanted ones, some of which stand for any number; in time of the product of both. */
function reaches(
  wanted: readonly string[],
  parts: readonly string[],
  isAny: (part: string) => boolean,
  meet: (wanted: string, part: string) => boolean,
): boolean {
  let at: readonly boolean[] = [true, ...parts.map(() => false)]; // how many parts the wanted ones so far may have met
  for (const each of wanted) {
    let begun = false;
    at = at.map((here, met) => {
      if (isAny(each)) {
        begun ||= here;
        return begun;
      }
      return met > 0 && at[met - 1] === true && meet(each, parts[met - 1] ?? "");
    });
  }
  return at.at(-1) === true;
}

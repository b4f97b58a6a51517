import { refuse } from "../errors.ts";

/** Gathers a file's problems. */
export interface ProblemList {
  add(problem: string): void;
  /** Throws one InputError with all of them, or returns where there is none. */
  refuse(): void;
}

/** Each problem is preceded by `place`; past the twentieth they are only counted, so that a bad file stays cheap. */
export function problemList(place: string): ProblemList {
  const shown: string[] = [];
  let more = 0;
  return {
    add(problem) {
      if (shown.length < 20) shown.push(`${place}: ${problem}`);
      else more++;
    },
    refuse: () => refuse(more === 0 ? shown : [...shown, `${place}: and ${more} more problems`]),
  };
}

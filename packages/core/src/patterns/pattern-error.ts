/** A pattern that is no regular expression, or one that no bounded matcher can match; compilePattern says which. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

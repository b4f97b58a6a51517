/** The tokens of a model and their ids, both ways. */
export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  /** by id, with gaps where no token has one; of several tokens of one id the first */
  readonly tokens: readonly (string | undefined)[];
}

/** A vocabulary of ids by token; tokens by id are listed when somebody asks for them. */
export function vocabularyOf(ids: ReadonlyMap<string, number>): Vocabulary {
  let tokens: readonly (string | undefined)[] | undefined;
  return {
    ids,
    get tokens() {
      tokens ??= listed(ids);
      return tokens;
    },
  };
}

/** The vocabulary in which each token's id is its place in a list; of equal tokens the last counts. */
export const listedVocabulary = (tokens: readonly string[]): Vocabulary =>
  vocabularyOf(new Map(tokens.map((token, id) => [token, id])));

function listed(ids: ReadonlyMap<string, number>): readonly (string | undefined)[] {
  const tokens = new Array<string | undefined>(ids.size);
  ids.forEach((id, token) => {
    tokens[id] ??= token;
  });
  return tokens;
}

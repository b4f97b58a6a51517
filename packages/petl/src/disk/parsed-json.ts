/** What a text of JSON says; undefined where it is none, which no check of its form lets pass. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

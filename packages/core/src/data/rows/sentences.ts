/**
 * The sentences of a paragraph, in its order: a new one begins behind . ! ? … and closing quotes where a capital letter
 * or a digit follows, but not behind a title or an initial. White space between them is left out.
 */
export function sentencesOf(paragraph: string): readonly string[] {
  return paragraph.split(boundary).filter((sentence) => sentence !== "");
}

const ends = `(?<=[.!?…]["'”’)\\]]*)`;
const noTitle = "(?<!\\b(?:Mr|Mrs|Ms|Dr|St|Mme|Mlle|Prof|Rev|Hon|Capt|Col|Gen|Lieut|Messrs|No|\\p{Lu})\\.)";
const begins = `(?=["'“‘(\\[_]*[\\p{Lu}\\p{N}])`;
const boundary = new RegExp(`${ends}${noTitle}\\s+${begins}`, "u");

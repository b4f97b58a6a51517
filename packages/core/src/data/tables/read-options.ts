/** How a file's rows are meant, where the file itself cannot say it. */
export interface ReadOptions {
  /**
   * false: a delimited file or a workbook has no line of names. The columns are called `column1`, `column2` …, as many
   * as the widest row has (STS-B's rows name a source or not), and cells that a row lacks at its end are empty. Default
   * true.
   */
  readonly header?: boolean | undefined;
  /** the encoding of text files, by a name that TextDecoder knows; UTF-8, or UTF-16 by its mark, where left out */
  readonly encoding?: string | undefined;
  /** the sheet of a workbook; its first where left out */
  readonly sheet?: string | undefined;
}

/**
 * An expression's text with the line and column arithmetic that error messages need.
 * Offsets are UTF-16 indexes into the text; lines count from 1 and columns from 0, in code points.
 */
export class Source {
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Line (from 1) and column (from 0, in code points) of an offset. An empty text has no column: -1. */
  location(offset: number): Location {
    if (this.text.length === 0) return { line: 1, column: -1 };
    const starts = this.#starts();
    let line = 1;
    while (line < starts.length && starts[line]! <= offset) line++;
    return { line, column: codePointLength(this.text.slice(starts[line - 1]!, offset)) };
  }

  /** The text of a line, without its newline; undefined when there is no such line. */
  line(line: number): string | undefined {
    const starts = this.#starts();
    const start = starts[line - 1];
    if (start === undefined || this.text.length === 0) return undefined;
    const next = starts[line];
    return next === undefined ? this.text.slice(start) : this.text.slice(start, next - 1);
  }

  #starts(): number[] {
    if (!this.#lineStarts) {
      this.#lineStarts = [0];
      for (let i = this.text.indexOf('\n'); i >= 0; i = this.text.indexOf('\n', i + 1)) this.#lineStarts.push(i + 1);
    }
    return this.#lineStarts;
  }
}

export interface Location {
  line: number;
  column: number;
}

/** For errors that belong to the whole expression. */
export const NO_LOCATION: Location = { line: -1, column: -1 };

/** Number of Unicode code points, which is what CEL calls the size of a string. */
export function codePointLength(text: string): number {
  let n = text.length;
  for (let i = text.length - 1; i > 0; i--) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) {
      n--;
      i--;
    }
  }
  return n;
}

import { type Location, NO_LOCATION, type Source } from './source.js';

/** One problem found while an expression was parsed or type-checked. */
export interface Issue {
  message: string;
  location: Location;
}

const MAX_ISSUES = 100;
/** Lines longer than this (in bytes) are not repeated under the message. */
const MAX_SNIPPET = 16384;

/** Collects the problems of one expression and prints them in cel-go's layout (message, source line, caret). */
export class Issues {
  readonly source: Source;
  readonly #issues: Issue[] = [];
  #count = 0;

  constructor(source: Source) {
    this.source = source;
  }

  get count(): number {
    return this.#count;
  }

  /** Reports a problem at an offset of the text, or at no place in particular. */
  report(at: number | undefined, message: string): void {
    this.#count++;
    if (this.#count <= MAX_ISSUES) {
      this.#issues.push({ message, location: at === undefined ? NO_LOCATION : this.source.location(at) });
    }
  }

  /** The problems in the order of their place in the text. */
  sorted(): Issue[] {
    return this.#issues.toSorted((a, b) => a.location.line - b.location.line || a.location.column - b.location.column);
  }

  toString(): string {
    const lines = this.sorted().map((issue) => this.#display(issue));
    if (this.#count > MAX_ISSUES) lines.push(`${this.#count - MAX_ISSUES} more errors were truncated`);
    return lines.join('\n');
  }

  #display({ message, location }: Issue): string {
    const head = `ERROR: <input>:${location.line}:${location.column + 1}: ${message}`;
    const text = this.source.line(location.line);
    if (text === undefined || Buffer.byteLength(text) > MAX_SNIPPET) return head;
    const snippet = text.replaceAll('\t', ' ');
    let marker = '';
    let column = 0;
    for (const char of snippet) {
      if (column === location.column) return `${head}\n | ${snippet}\n | ${marker}${isWide(char) ? '\uff3e' : '^'}`;
      marker += isWide(char) ? '\uff0e' : '.';
      column++;
    }
    return `${head}\n | ${snippet}\n | ${marker}^`;
  }
}

function isWide(char: string): boolean {
  return char.codePointAt(0)! > 0x7f;
}

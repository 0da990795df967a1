/**
 * Whether a text is one address of RFC 5322 as Go's net/mail reads it: `a@b`, `Name <a@b>`, `"quoted"@b`,
 * `a@[192.0.2.1]`, comments after it.
 */
export function isMailAddress(text: string): boolean {
  const parser = new Parser(text);
  return parser.address() && parser.skipComments() && parser.atEnd;
}

/** Characters that end an atom. */
const SPECIALS = new Set('()<>[]:;@\\,"');

class Parser {
  readonly #text: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = [...text];
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }
  get #next(): string {
    return this.#text[this.#at] ?? '';
  }

  address(): boolean {
    this.#skipSpace();
    if (this.atEnd) return false;
    const start = this.#at;
    if (this.#addrSpec()) return true;
    this.#at = start;
    if (this.#next !== '<' && !this.#phrase()) return false;
    this.#skipSpace();
    return this.#take('<') && this.#addrSpec() && this.#take('>');
  }

  /** White space and comments in brackets, which may be nested. */
  skipComments(): boolean {
    this.#skipSpace();
    while (this.#take('(')) {
      for (let depth = 1; depth > 0; this.#at++) {
        if (this.atEnd) return false;
        if (this.#next === '\\') this.#at++;
        else if (this.#next === '(') depth++;
        else if (this.#next === ')') depth--;
      }
      this.#skipSpace();
    }
    return true;
  }

  #addrSpec(): boolean {
    this.#skipSpace();
    if (this.atEnd) return false;
    const local = this.#next === '"' ? this.#quoted() : this.#atom(false);
    if (!local || !this.#take('@')) return false;
    this.#skipSpace();
    return this.#next === '[' ? this.#literal() : this.#atom(false);
  }

  #phrase(): boolean {
    let words = 0;
    for (;;) {
      this.#skipSpace();
      if (this.atEnd) break;
      const start = this.#at;
      const word = this.#next === '"' ? this.#quoted() || this.#at > start : this.#atom(true);
      if (!word) break;
      words++;
    }
    return words > 0;
  }

  /** @param lenient dots may stand anywhere */
  #atom(lenient: boolean): boolean {
    const start = this.#at;
    while (!this.atEnd && !SPECIALS.has(this.#next) && isVisible(this.#next)) this.#at++;
    const atom = this.#text.slice(start, this.#at).join('');
    if (atom === '') return false;
    return lenient || !(atom.startsWith('.') || atom.endsWith('.') || atom.includes('..'));
  }

  /** False for an empty one, too. */
  #quoted(): boolean {
    const start = ++this.#at;
    for (; !this.atEnd; this.#at++) {
      if (this.#next === '"') {
        this.#at++;
        return this.#at - start > 1;
      }
      if (this.#next === '\\') {
        this.#at++;
        if (this.atEnd) return false;
      }
      if (!isVisible(this.#next) && this.#next !== ' ' && this.#next !== '\t') return false;
    }
    return false;
  }

  #literal(): boolean {
    const close = this.#text.indexOf(']', this.#at);
    if (close < 0) return false;
    const inside = this.#text.slice(this.#at + 1, close).join('');
    this.#at = close + 1;
    const parts = inside.split('.');
    if (parts.length === 4) return parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256);
    return /^[0-9A-Fa-f:]{2,39}$/.test(inside) && inside.includes(':');
  }

  #take(char: string): boolean {
    if (this.#next !== char) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (this.#next === ' ' || this.#next === '\t') this.#at++;
  }
}

function isVisible(char: string): boolean {
  return (char >= '!' && char <= '~') || char > '\u007f';
}

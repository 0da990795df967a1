import { Fifo } from '../fifo.js';

/** Encodings that hang on an object or event. Owned by `FormCache`. */
export type Forms = Map<string, Form>;

interface Form {
  readonly forms: Forms;
  readonly name: string;
  readonly bytes: Buffer;
  /** Asked for since it was last looked at. */
  warm: boolean;
}

/** What an entry costs besides its bytes. */
const OVERHEAD = 200;

/**
 * Keeps encodings while they are in use, within a bound on memory: when it is full, the oldest go first, but those that
 * were asked for again get a second turn.
 */
export class FormCache {
  readonly #limit: number;
  readonly #queue = new Fifo<Form>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(forms: Forms, name: string, make: () => Buffer): Buffer {
    const have = forms.get(name);
    if (have) {
      have.warm = true;
      return have.bytes;
    }
    const bytes = make();
    if (bytes.length > this.#limit / 4) return bytes;
    const form: Form = { forms, name, bytes, warm: false };
    forms.set(name, form);
    this.#queue.push(form);
    this.#size += bytes.length + OVERHEAD;
    this.#evict();
    return bytes;
  }

  #evict(): void {
    for (let secondTurns = this.#queue.length; this.#size > this.#limit; ) {
      const form = this.#queue.shift();
      if (!form) return;
      if (form.warm && secondTurns-- > 0) {
        form.warm = false;
        this.#queue.push(form);
        continue;
      }
      form.forms.delete(form.name);
      this.#size -= form.bytes.length + OVERHEAD;
    }
  }
}

/** A queue whose entries keep their number: the first ever pushed is 0, what is put before it counts down. Taking from the front is cheap at any length. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;
  /** Number of the oldest entry still here; equals `next` when the queue is empty. */
  first = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Number that the next pushed entry will get. */
  get next(): number {
    return this.first + this.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts entries before the oldest, in their order. */
  unshift(items: readonly T[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)];
    this.#head = 0;
    this.first -= items.length;
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    this.first++;
    if (this.#head > 512 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** The entry with this number; undefined when it is gone or not yet there. */
  at(number: number): T | undefined {
    return number < this.first ? undefined : this.#items[this.#head + number - this.first];
  }

  clear(): void {
    this.first = this.next;
    this.#items = [];
    this.#head = 0;
  }
}

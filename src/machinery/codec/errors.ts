/** A body that could not be read. The message is the one a Go client of the same format would see, without context. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecodeError';
  }
}

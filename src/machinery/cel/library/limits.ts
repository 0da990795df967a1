import { CelError } from '../values/error.js';

/** Longer texts could only be made to use up memory. */
const MAX_TEXT = 16 * 1024 * 1024;

/** Fails before a text is made that is longer than any that makes sense. */
export function checkLength(length: number): void {
  if (length > MAX_TEXT) throw new CelError('string size limit exceeded');
}

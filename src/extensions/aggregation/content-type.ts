/** Bytes that no text has, as https://mimesniff.spec.whatwg.org counts them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const BINARY = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/;
const HTML =
  /^[\t\n\f\r ]*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]/i;
const XML = /^[\t\n\f\r ]*<\?xml/;
const LOOKED_AT = 512;

/** What Go's servers call a body whose type nobody told, by its first bytes; of binary ones nothing more is said. */
export function contentTypeOf(start: Buffer): string {
  const text = start.toString('latin1', 0, LOOKED_AT);
  if (HTML.test(text)) return 'text/html; charset=utf-8';
  if (XML.test(text)) return 'text/xml; charset=utf-8';
  return BINARY.test(text) ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}

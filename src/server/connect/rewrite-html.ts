import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { createDeflate, createGunzip, createGzip, createInflate } from 'node:zlib';
import { type Rewriting, rewriteUrl } from './rewrite.js';

/** Attributes that hold URLs, by element. */
const URL_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['formaction', 'src', 'usemap'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};
/** With a tag that is longer, rewriting ends: this is no HTML that anybody means. */
const MAX_TAG = 64 * 1024;
// A name begins behind a separator only, so that text without any is looked at once.
const ATTRIBUTE = /(?<=[\s"'/])([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g;

type Body = AsyncIterable<Buffer> & { destroy(): unknown };

/**
 * The body of an HTML answer with its links rewritten. Takes the length out of `headers`, as it is no longer known.
 * What is coded in a way that can't be read is passed on as it is.
 */
export function rewriteHtml(
  incoming: IncomingMessage,
  headers: Record<string, string | string[]>,
  rewriting: Rewriting,
): Body {
  const links = new LinkRewriter((url) => rewriteUrl(url, rewriting));
  switch (`${incoming.headers['content-encoding'] ?? ''}`.toLowerCase()) {
    case '':
      delete headers['Content-Length'];
      return chained([incoming, links]);
    case 'gzip':
      delete headers['Content-Length'];
      return chained([incoming, createGunzip(), links, createGzip()]);
    case 'deflate':
      delete headers['Content-Length'];
      return chained([incoming, createInflate(), links, createDeflate()]);
    default:
      return incoming;
  }
}

/** The last of several streams, with the errors of all. */
function chained(streams: [IncomingMessage, ...Transform[]]): Body {
  const last = streams.at(-1) as Transform;
  const stop = (e?: Error) => {
    for (const stream of streams) stream.destroy(e);
  };
  for (const stream of streams) stream.on('error', stop);
  streams[0].on('aborted', () => stop(new Error('the answer was cut')));
  streams.reduce((from, to) => from.pipe(to as Transform));
  return { [Symbol.asyncIterator]: () => last[Symbol.asyncIterator](), destroy: stop };
}

/** Rewrites URLs in the tags of HTML that comes in pieces of any size. */
export class LinkRewriter extends Transform {
  readonly #rewrite: (url: string) => string;
  /** The beginning of a tag whose end has not come, and how far it was looked at. */
  #pending = '';
  #scan: Scan = NOTHING;
  /** Inside of this element nothing is a tag but its own end. */
  #raw = '';
  #over = false;

  constructor(rewrite: (url: string) => string) {
    super();
    this.#rewrite = rewrite;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    if (this.#over) {
      done(null, chunk);
      return;
    }
    // Latin-1 keeps the bytes of every encoding that has ASCII in it.
    const text = this.#pending + chunk.toString('latin1');
    this.#pending = '';
    done(null, Buffer.from(this.#consume(text), 'latin1'));
  }

  override _flush(done: TransformCallback): void {
    done(null, Buffer.from(this.#pending, 'latin1'));
  }

  #consume(text: string): string {
    let out = '';
    let at = 0;
    for (;;) {
      const open = text.indexOf('<', at);
      if (open < 0) return out + text.slice(at);
      out += text.slice(at, open);
      this.#scan = tagEnd(text, open, this.#scan);
      const { end } = this.#scan;
      if (end === undefined) {
        this.#over = text.length - open > MAX_TAG;
        if (this.#over) return out + text.slice(open);
        this.#pending = text.slice(open);
        return out;
      }
      this.#scan = NOTHING;
      out += this.#tag(text.slice(open, end));
      at = end;
    }
  }

  #tag(tag: string): string {
    const name = /^<(\/?[A-Za-z][A-Za-z0-9]*)/.exec(tag)?.[1]?.toLowerCase() ?? '';
    if (this.#raw !== '') {
      if (name === `/${this.#raw}`) this.#raw = '';
      return tag;
    }
    if (['script', 'style', 'textarea', 'title'].includes(name) && !tag.endsWith('/>')) this.#raw = name;
    const attributes = Object.hasOwn(URL_ATTRIBUTES, name) ? URL_ATTRIBUTES[name]! : [];
    if (attributes.length === 0) return tag;
    return tag.replace(ATTRIBUTE, (whole, attribute: string, equals: string, value: string) => {
      if (!attributes.includes(attribute.toLowerCase())) return whole;
      const quote = value[0] === '"' || value[0] === "'" ? value[0] : '';
      const url = quote ? value.slice(1, -1) : value;
      const next = toAttribute(this.#rewrite(fromAttribute(url)), quote);
      return attribute + equals + (quote ? quote + next + quote : next);
    });
  }
}

/** How far the search for a tag's end has come. */
interface Scan {
  /** One past the end, once it is found. */
  readonly end?: number;
  /** Characters of the tag that were looked at, and the quote that is open behind them. */
  readonly seen: number;
  readonly quote: string;
}
const NOTHING: Scan = { seen: 0, quote: '' };

/** Looks for the end of the tag or comment that begins at `open`, from where an earlier look ended. */
function tagEnd(text: string, open: number, { seen, quote: before }: Scan): Scan {
  const length = text.length - open;
  if (text.startsWith('<!--', open)) {
    const end = text.indexOf('-->', open + Math.max(4, seen - 2));
    return end < 0 ? { seen: length, quote: '' } : { end: end + 3, seen, quote: '' };
  }
  if ('<!--'.startsWith(text.slice(open))) return NOTHING;
  // A lone `<` begins no tag.
  if (!/[A-Za-z/!?]/.test(text[open + 1]!)) return { end: open + 1, seen, quote: '' };
  let quote = before;
  for (let i = open + Math.max(1, seen); i < text.length; i++) {
    const c = text[i]!;
    if (quote) {
      if (c === quote) quote = '';
    } else if (c === '>') return { end: i + 1, seen, quote };
    else if (c === '<') return { end: i, seen, quote };
    else if ((c === '"' || c === "'") && /=\s*$/.test(text.slice(Math.max(open, i - 16), i))) quote = c;
  }
  return { seen: length, quote };
}

const fromAttribute = (text: string): string => text.replace(/&amp;/g, '&');
const toAttribute = (text: string, quote: string): string => {
  const escaped = text.replace(/&/g, '&amp;');
  return quote === '"' ? escaped.replace(/"/g, '&#34;') : escaped.replace(/'/g, '&#39;');
};

/**
 * Go's message for the first syntax error of a JSON text, or undefined when there is none. `text` holds one character
 * per byte (latin1), since Go names the byte. Runs in one pass without recursion.
 */
export function jsonSyntaxError(text: string, maxDepth: number): string | undefined {
  const stack: string[] = [];
  let i = 0;
  const bad = (context: string): string =>
    i >= text.length ? 'unexpected end of JSON input' : `invalid character ${quoteByte(text[i]!)} ${context}`;
  const space = (): void => {
    while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  };
  /** What may come next: a value, an object key, a key or the end of an empty container. */
  let expect: 'value' | 'key' | 'keyOrEnd' | 'valueOrEnd' = 'value';
  for (;;) {
    space();
    const c = text[i];
    const closes = (expect === 'keyOrEnd' && c === '}') || (expect === 'valueOrEnd' && c === ']');
    if (closes) {
      stack.pop();
      i++;
    } else if (expect === 'key' || expect === 'keyOrEnd') {
      if (c !== '"') return bad('looking for beginning of object key string');
      const error = skipString();
      if (error) return error;
      space();
      if (text[i] !== ':') return bad('after object key');
      i++;
      expect = 'value';
      continue;
    } else if (c === '{' || c === '[') {
      if (stack.length >= maxDepth) return bad('exceeded max depth');
      stack.push(c);
      i++;
      expect = c === '{' ? 'keyOrEnd' : 'valueOrEnd';
      continue;
    } else {
      const error = skipScalar();
      if (error) return error;
    }
    for (;;) {
      space();
      const top = stack[stack.length - 1];
      if (top === undefined) return i < text.length ? bad('after top-level value') : undefined;
      const d = text[i];
      if (d === ',') {
        i++;
        expect = top === '{' ? 'key' : 'value';
        break;
      }
      if (d !== (top === '{' ? '}' : ']'))
        return bad(top === '{' ? 'after object key:value pair' : 'after array element');
      stack.pop();
      i++;
    }
  }

  function skipString(): string | undefined {
    for (i++; ; i++) {
      const c = text[i];
      if (c === '"') {
        i++;
        return undefined;
      }
      if (c === undefined || c < ' ') return bad('in string literal');
      if (c !== '\\') continue;
      i++;
      const e = text[i];
      if (e === undefined || !'bfnrt\\/"u'.includes(e)) return bad('in string escape code');
      if (e !== 'u') continue;
      for (let n = 0; n < 4; n++) {
        i++;
        if (!/[0-9a-fA-F]/.test(text[i] ?? '')) return bad('in \\u hexadecimal character escape');
      }
    }
  }

  function skipScalar(): string | undefined {
    const c = text[i];
    if (c === '"') return skipString();
    if (c === 't') return skipLiteral('true');
    if (c === 'f') return skipLiteral('false');
    if (c === 'n') return skipLiteral('null');
    if (c === '-' || isDigit(c)) return skipNumber();
    return bad('looking for beginning of value');
  }

  function skipLiteral(word: string): string | undefined {
    for (let n = 1; n < word.length; n++) {
      i++;
      if (text[i] !== word[n]) return bad(`in literal ${word} (expecting '${word[n]}')`);
    }
    i++;
    return undefined;
  }

  function skipNumber(): string | undefined {
    if (text[i] === '-') {
      i++;
      if (!isDigit(text[i])) return bad('in numeric literal');
    }
    if (text[i] === '0') i++;
    else while (isDigit(text[i])) i++;
    if (text[i] === '.') {
      i++;
      if (!isDigit(text[i])) return bad('after decimal point in numeric literal');
      while (isDigit(text[i])) i++;
    }
    if (text[i] === 'e' || text[i] === 'E') {
      i++;
      if (text[i] === '+' || text[i] === '-') i++;
      if (!isDigit(text[i])) return bad('in exponent of numeric literal');
      while (isDigit(text[i])) i++;
    }
    return undefined;
  }
}

function isDigit(c: string | undefined): boolean {
  return c !== undefined && c >= '0' && c <= '9';
}

/** A byte as Go quotes it: its latin1 character in single quotes, with Go's escapes. */
function quoteByte(c: string): string {
  if (c === "'") return "'\\''";
  if (c === '"') return "'\"'";
  if (c === '\\') return "'\\\\'";
  const code = c.charCodeAt(0);
  const short = { 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r' }[code];
  if (short) return `'${short}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  if ((code >= 0x80 && code <= 0xa0) || code === 0xad) return `'\\u00${code.toString(16)}'`;
  return `'${c}'`;
}

import type { UserInfo } from '../contract.js';
import type { Log, TokenAuthenticator } from './contract.js';

/**
 * Static tokens: lines of `token,user,uid` with optional groups, `"group1,group2"`, as a fourth field. Throws with the
 * position when a line is no CSV or too short. Lines without a token are skipped; of equal tokens the last one counts.
 */
export function tokenFileAuthenticator(path: string, text: string, log: Log): TokenAuthenticator {
  const users = new Map<string, UserInfo>();
  parseCsv(text).forEach((record, index) => {
    const [token, name, uid, groups] = record;
    if (token === undefined || name === undefined || uid === undefined) {
      throw new Error(
        `token file '${path}' must have at least 3 columns (token, user name, user uid), found ${record.length}`,
      );
    }
    if (token === '') {
      log('warning', `empty token has been found in token file '${path}', record number '${index + 1}'`);
      return;
    }
    if (users.has(token)) {
      log('warning', `duplicate token has been found in token file '${path}', record number '${index + 1}'`);
    }
    users.set(token, { name, groups: groups === undefined ? [] : groups.split(','), ...(uid && { uid }) });
  });
  return staticTokens('tokenfile', users);
}

/** Tokens known from the start. */
export function staticTokens(name: string, users: ReadonlyMap<string, UserInfo>): TokenAuthenticator {
  return {
    name,
    authenticateToken(token) {
      const user = users.get(token);
      return user && { user, via: name };
    },
  };
}

/**
 * Records of RFC 4180 as Go reads them: blank lines are skipped, a quote inside of a quoted field is doubled, a quoted
 * field may hold line breaks.
 */
export function parseCsv(text: string): string[][] {
  const source = text.replace(/\r\n/g, '\n');
  const records: string[][] = [];
  let at = 0;
  let line = 1;
  while (at < source.length) {
    if (source[at] === '\n') {
      at++;
      line++;
      continue;
    }
    const record: string[] = [];
    for (;;) {
      const field = source[at] === '"' ? quoted(source, at, line) : plain(source, at, line);
      record.push(field.text);
      line += field.text.split('\n').length - 1;
      at = field.end;
      if (source[at] !== ',') break;
      at++;
    }
    records.push(record);
    at++;
    line++;
  }
  return records;
}

interface Field {
  readonly text: string;
  /** Where the comma or line break after it is. */
  readonly end: number;
}

function plain(source: string, from: number, line: number): Field {
  let end = from;
  while (end < source.length && source[end] !== ',' && source[end] !== '\n') {
    if (source[end] === '"') throw new Error(`parse error on line ${line}: bare " in non-quoted field`);
    end++;
  }
  return { text: source.slice(from, end), end };
}

function quoted(source: string, from: number, line: number): Field {
  const wrong = new Error(`parse error on line ${line}: extraneous or missing " in quoted-field`);
  let text = '';
  for (let at = from + 1; ; ) {
    const quote = source.indexOf('"', at);
    if (quote < 0) throw wrong;
    text += source.slice(at, quote);
    if (source[quote + 1] !== '"') {
      const after = source[quote + 1];
      if (after !== undefined && after !== ',' && after !== '\n') throw wrong;
      return { text, end: quote + 1 };
    }
    text += '"';
    at = quote + 2;
  }
}

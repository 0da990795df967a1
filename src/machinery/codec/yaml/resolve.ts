/** What a plain YAML scalar stands for under Go's YAML 1.1 rules. Timestamps are told apart but read as strings. */
export type Resolved =
  | { tag: 'str'; value: string }
  | { tag: 'timestamp'; value: string }
  | { tag: 'bool'; value: boolean }
  | { tag: 'null'; value: null }
  | { tag: 'int'; value: number | bigint }
  | { tag: 'float'; value: number }
  | { tag: 'merge'; value: string };

const WORDS = new Map<string, Resolved>();
function words(result: Resolved, ...texts: string[]): void {
  for (const text of texts) WORDS.set(text, result);
}
words({ tag: 'bool', value: true }, 'y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON');
words({ tag: 'bool', value: false }, 'n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF');
words({ tag: 'null', value: null }, '', '~', 'null', 'Null', 'NULL');
words({ tag: 'float', value: Number.NaN }, '.nan', '.NaN', '.NAN');
words({ tag: 'float', value: Number.POSITIVE_INFINITY }, '.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF');
words({ tag: 'float', value: Number.NEGATIVE_INFINITY }, '-.inf', '-.Inf', '-.INF');
words({ tag: 'merge', value: '<<' }, '<<');

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const DATE = /^\d{4}-(\d{1,2})-(\d{1,2})$/;
const DATE_TIME =
  /^\d{4}-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)| (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?)$/;
/** Numbers longer than this are strings of digits, not quantities of anything. */
const MAX_NUMBER = 400;

export function resolvePlain(text: string): Resolved {
  const word = WORDS.get(text);
  if (word) return word;
  const first = text.charCodeAt(0);
  const digit = first >= 48 && first <= 57;
  if (!digit && first !== 43 && first !== 45 && first !== 46) return { tag: 'str', value: text };
  if (text.length > MAX_NUMBER) return { tag: 'str', value: text };
  if (first === 46) return resolveFloat(text, text) ?? { tag: 'str', value: text };
  if (isTimestamp(text)) return { tag: 'timestamp', value: text };
  const plain = text.replaceAll('_', '');
  const int = parseInteger(plain);
  if (int !== undefined) return { tag: 'int', value: int };
  return resolveFloat(plain, text) ?? { tag: 'str', value: text };
}

function resolveFloat(plain: string, text: string): Resolved | undefined {
  if (!FLOAT.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? { tag: 'float', value } : { tag: 'str', value: text };
}

/** Go's integers with any prefix: 0x, 0o, 0b and the plain 0 of octals; within int64, or uint64 when positive. */
function parseInteger(text: string): number | bigint | undefined {
  const m = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (!m) return undefined;
  const [, sign, hex, binary, octal, decimal] = m;
  const digits = hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : decimal!;
  const magnitude = BigInt(digits);
  const value = sign === '-' ? -magnitude : magnitude;
  if (value < -(1n << 63n) || value >= 1n << (sign === '' ? 64n : 63n)) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function isTimestamp(text: string): boolean {
  const m = DATE.exec(text) ?? DATE_TIME.exec(text);
  if (!m) return false;
  const [, month, day, h1, m1, s1, h2, m2, s2] = m.map(Number);
  const days = new Date(Date.UTC(Number(text.slice(0, 4)), month!, 0)).getUTCDate();
  const hour = h1 || h2 || 0;
  return (
    month! >= 1 &&
    month! <= 12 &&
    day! >= 1 &&
    day! <= days &&
    hour < 24 &&
    (m1 || m2 || 0) < 60 &&
    (s1 || s2 || 0) < 60
  );
}

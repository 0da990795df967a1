import { labelKeyErrors, labelValueErrors } from '../../selectors/label-format.js';
import { member, type Overload, overload } from '../types/declarations.js';
import { listType, objectType, optionalType, STRING } from '../types/type.js';
import { OpaqueValue, Optional } from '../values/containers.js';
import { daysIn, parseTimestamp } from '../values/time.js';
import { parseURL } from './url-parser.js';

export const FORMAT = objectType('kubernetes.NamedFormat');

/** A named rule for texts; answers what is wrong with one. */
class FormatValue extends OpaqueValue {
  readonly typeName = FORMAT.name;
  readonly name: string;
  readonly validate: (text: string) => string[];
  readonly #size: number;

  constructor(name: string, size: number, validate: (text: string) => string[]) {
    super();
    this.name = name;
    this.#size = size;
    this.validate = validate;
  }
  /** Length of the regular expression that the check amounts to. */
  override get costSize(): number {
    return this.#size;
  }
  equals(other: FormatValue): boolean {
    return this.name === other.name;
  }
}

const LABEL_PATTERN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_PATTERN = `${LABEL_PATTERN}(\\.${LABEL_PATTERN})*`;
const LABEL_1035_PATTERN = '[a-z]([-a-z0-9]*[a-z0-9])?';

const isLabel = (s: string) => /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(s);
const isSubdomain = (s: string) => s.split('.').every(isLabel);
const isLabel1035 = (s: string) => /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/.test(s);

function sentence(text: string, examples: string[], pattern: string): string {
  return `${text} (e.g. ${examples.map((e) => `'${e}'`).join(',  or ')}, regex used for validation is '${pattern}')`;
}

function tooLong(text: string, max: number): string[] {
  return Buffer.byteLength(text) > max ? [`must be no more than ${max} characters`] : [];
}

function label(text: string): string[] {
  const errors = tooLong(text, 63);
  if (isLabel(text)) return errors;
  return isSubdomain(text)
    ? [...errors, 'must not contain dots']
    : [
        ...errors,
        sentence(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          ['my-name', '123-abc'],
          LABEL_PATTERN,
        ),
      ];
}

function subdomain(text: string): string[] {
  const errors = tooLong(text, 253);
  return isSubdomain(text)
    ? errors
    : [
        ...errors,
        sentence(
          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
          ['example.com'],
          SUBDOMAIN_PATTERN,
        ),
      ];
}

function label1035(text: string): string[] {
  const errors = tooLong(text, 63);
  return isLabel1035(text)
    ? errors
    : [
        ...errors,
        sentence(
          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
          ['my-name', 'abc-123'],
          LABEL_1035_PATTERN,
        ),
      ];
}

/** Checks a name to which something will be appended: a dash at its end does not matter. */
function prefix(check: (text: string) => string[]) {
  return (text: string) => check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);
}

function uri(text: string): string[] {
  try {
    parseURL(text, true);
    return [];
  } catch (e) {
    return [(e as Error).message];
  }
}

function when(test: (text: string) => boolean, error: string) {
  return (text: string) => (test(text) ? [] : [error]);
}

function isDate(text: string): boolean {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!m) return false;
  const month = Number(m[2]);
  return month >= 1 && month <= 12 && Number(m[3]) >= 1 && Number(m[3]) <= daysIn(Number(m[1]), month);
}

const isUuid = (text: string) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text);
const isBase64 = (text: string) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
const isDateTime = (text: string) =>
  text.length >= 4 && parseTimestamp(text.replace(' ', 'T').toUpperCase()) !== undefined;

/** Lengths of patterns that upstream uses, which costs count. */
const DATE_TIME_PATTERN = 71;
const UUID_PATTERN = 70;
const URI_PATTERN = 1103;

const FORMATS: Record<string, FormatValue> = {
  dns1123Label: new FormatValue('DNS1123Label', 30, label),
  dns1123Subdomain: new FormatValue('DNS1123Subdomain', 60, subdomain),
  dns1035Label: new FormatValue('DNS1035Label', 30, label1035),
  qualifiedName: new FormatValue('QualifiedName', 60, labelKeyErrors),
  dns1123LabelPrefix: new FormatValue('DNS1123LabelPrefix', 30, prefix(label)),
  dns1123SubdomainPrefix: new FormatValue('DNS1123SubdomainPrefix', 60, prefix(subdomain)),
  dns1035LabelPrefix: new FormatValue('DNS1035LabelPrefix', 30, prefix(label1035)),
  labelValue: new FormatValue('LabelValue', 40, labelValueErrors),
  uri: new FormatValue('URI', URI_PATTERN, uri),
  uuid: new FormatValue('uuid', UUID_PATTERN, when(isUuid, 'does not match the UUID format')),
  byte: new FormatValue('byte', 84, when(isBase64, 'invalid base64')),
  date: new FormatValue('date', DATE_TIME_PATTERN, when(isDate, 'invalid date')),
  datetime: new FormatValue('datetime', DATE_TIME_PATTERN, when(isDateTime, 'invalid datetime')),
};

/** Kubernetes' format library. */
export const FORMATS_LIBRARY: Record<string, Overload[]> = {
  ...Object.fromEntries(
    Object.entries(FORMATS).map(([name, format]) => [
      `format.${name}`,
      [overload(`format.${name}`, [], FORMAT, () => format)],
    ]),
  ),
  'format.named': [
    overload('format-named', [STRING], optionalType(FORMAT), (name: string) => {
      const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
      return format ? Optional.of(format) : Optional.none;
    }),
  ],
  validate: [
    member('format-validate', [FORMAT, STRING], optionalType(listType(STRING)), (format: FormatValue, text: string) => {
      const errors = format.validate(text);
      return errors.length === 0 ? Optional.none : Optional.of(errors);
    }),
  ],
};

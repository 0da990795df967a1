// Rules for label keys and values, with the sentences that upstream uses for them.
// Source: "Labels and Selectors" of the Kubernetes documentation.

const NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const SUBDOMAIN_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${SUBDOMAIN_LABEL}(\\.${SUBDOMAIN_LABEL})*`;

// Say the same as the patterns above, without backtracking.
const name = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const subdomainLabel = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

const EDGES = 'must start and end with an alphanumeric character';
const NAME_TEXT = `must consist of alphanumeric characters, '-', '_' or '.', and ${EDGES} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME}')`;
const VALUE_TEXT = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and ${EDGES} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME})?')`;
const SUBDOMAIN_TEXT = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and ${EDGES} (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;

const MAX_NAME = 63;
const MAX_PREFIX = 253;
const tooLong = (max: number): string => `must be no more than ${max} bytes`;
const bytes = (text: string): number => Buffer.byteLength(text);

/** What is wrong with a label key (`name` or `prefix.example.com/name`); empty when nothing is. */
export function labelKeyErrors(key: string): string[] {
  const parts = key.split('/');
  if (parts.length > 2) {
    return [`a valid label key ${NAME_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const errors: string[] = [];
  if (parts.length === 2) errors.push(...prefixErrors(parts[0]!).map((e) => `prefix part ${e}`));
  const own = parts.at(-1)!;
  if (own === '') errors.push('name part must be non-empty');
  else if (bytes(own) > MAX_NAME) errors.push(`name part ${tooLong(MAX_NAME)}`);
  if (!name.test(own)) errors.push(`name part ${NAME_TEXT}`);
  return errors;
}

function prefixErrors(prefix: string): string[] {
  if (prefix === '') return ['must be non-empty'];
  const errors: string[] = [];
  if (bytes(prefix) > MAX_PREFIX) errors.push(tooLong(MAX_PREFIX));
  if (!prefix.split('.').every((label) => subdomainLabel.test(label))) errors.push(SUBDOMAIN_TEXT);
  return errors;
}

/** What is wrong with a label value; empty when nothing is. */
export function labelValueErrors(value: string): string[] {
  const errors: string[] = [];
  if (bytes(value) > MAX_NAME) errors.push(tooLong(MAX_NAME));
  if (value !== '' && !name.test(value)) errors.push(VALUE_TEXT);
  return errors;
}

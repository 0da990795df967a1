import { forbiddenField, invalidValue, Path, required as requiredError } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { num, obj, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  goForm,
  ifPresent,
  oneOf,
  type Rule,
  range,
  required,
  satisfies,
  struct,
  whole,
} from '../validation/index.js';
import { conditionTypes } from './conditions.js';
import { mandatorySpec } from './mandatory.js';

const SPEC = new Path('spec');
const KEEP_ZERO = 'flowcontrol.k8s.io/preserve-zero-concurrency-shares';
const MAX_QUEUES = 10_000_000;
/** Bits of the hash that deals queues to flows. */
const HASH_BITS = 60;

const shares = satisfies((n) => n >= 0, 'must be a non-negative integer');
const percent = ifPresent(range(0, 100));

function handSize(o: JsonObject, at: Path, c: Check): void {
  const [queues, hand] = [num(o, 'queues'), num(o, 'handSize')];
  const fault = (text: string) => c.errors.push(invalidValue(at.child('handSize'), hand, text));
  if (hand <= 0) fault('must be positive');
  else if (hand > queues) fault(`should not be greater than queues (${queues})`);
  else if (Math.ceil(Math.log2(queues) * hand) > HASH_BITS)
    fault(`required entropy bits of deckSize ${queues} and handSize ${hand} should not be greater than ${HASH_BITS}`);
}

const positive = satisfies((n) => n > 0, 'must be positive');
const queuing = struct('flowcontrol.v1.QueuingConfiguration', {
  queueLengthLimit: positive,
  queues: [positive, satisfies((n) => n <= MAX_QUEUES, `must not be greater than ${MAX_QUEUES}`)],
  $hand: whole(handSize),
});

const limitResponse: Rule = whole((o, at, c) => {
  const type = str(o, 'type');
  const here = at.child('queuing');
  if (type === 'Reject') {
    if (o.queuing !== undefined)
      c.errors.push(forbiddenField(here, 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (type !== 'Queue') required(oneOf('Queue', 'Reject'))(type, at.child('type'), c);
  else if (o.queuing === undefined)
    c.errors.push(requiredError(here, 'must not be empty if limited.limitResponse.type is Limited'));
  else queuing(o.queuing, here, c);
});

const limited = struct('flowcontrol.v1.LimitedPriorityLevelConfiguration', {
  nominalConcurrencyShares: ifPresent(shares),
  limitResponse,
  lendablePercent: percent,
  borrowingLimitPercent: ifPresent(satisfies((n) => n >= 0, 'if specified, must be a non-negative integer')),
});
const exempt = struct('flowcontrol.v1.ExemptPriorityLevelConfiguration', {
  nominalConcurrencyShares: ifPresent(shares),
  lendablePercent: percent,
});

function specRules(name: string, spec: JsonObject, c: Check): void {
  const type = str(spec, 'type');
  if ((name === 'exempt') !== (type === 'Exempt'))
    c.errors.push(invalidValue(SPEC.child('type'), type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  if (type === 'Exempt') {
    if (spec.limited !== undefined)
      c.errors.push(forbiddenField(SPEC.child('limited'), 'must be nil if the type is not Limited'));
    ifPresent(exempt)(spec.exempt, SPEC.child('exempt'), c);
  } else if (type === 'Limited') {
    if (spec.exempt !== undefined)
      c.errors.push(forbiddenField(SPEC.child('exempt'), 'must be nil if the type is Limited'));
    if (spec.limited === undefined)
      c.errors.push(requiredError(SPEC.child('limited'), 'must not be empty when type is Limited'));
    else limited(spec.limited, SPEC.child('limited'), c);
  } else required(oneOf('Exempt', 'Limited'))(type, SPEC.child('type'), c);
}

function mandatory(name: string, spec: JsonObject, c: Check): void {
  const fixed = mandatorySpec('PriorityLevelConfiguration', name);
  if (!fixed) return;
  const isExempt = name === 'exempt';
  // How much the exempt level lends is anybody's to say.
  if (equalJson(isExempt ? { ...spec, exempt: fixed.exempt } : spec, fixed)) return;
  const what = isExempt ? "spec of 'exempt' except the 'spec.exempt' field" : `spec of '${name}'`;
  const shown = goForm('flowcontrol.v1.PriorityLevelConfigurationSpec', spec);
  c.errors.push(invalidValue(SPEC, shown, `${what} must equal the fixed value`));
}

export const priorityLevelConfiguration: Strategy = kind({
  group: 'flowcontrol.apiserver.k8s.io',
  kind: 'PriorityLevelConfiguration',
  rules(v, _, c) {
    const o = v as KubeObject;
    const name = o.metadata.name ?? '';
    if (o.metadata.annotations?.[KEEP_ZERO] !== undefined)
      c.errors.push(forbiddenField('metadata.annotations', `annotation '${KEEP_ZERO}' is forbidden`));
    specRules(name, obj(o, 'spec'), c);
    mandatory(name, obj(o, 'spec'), c);
    conditionTypes(o, c);
  },
  onUpdate: ['meta', 'rules'],
  subresources: { status: { rules: (o, _, c) => conditionTypes(o, c) } },
});

import { compile, ruleEnvironment, schemaType } from '../dist/machinery/cel/index.js';

const RULE = "self.replicas <= self.maxReplicas && self.items.all(i, i.name.matches('^[a-z]+$'))";

const SCHEMA = {
  type: 'object',
  properties: {
    replicas: { type: 'integer' },
    maxReplicas: { type: 'integer' },
    items: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
  },
};

const OBJECT = { replicas: 3, maxReplicas: 5, items: [{ name: 'alpha' }, { name: 'beta' }, { name: 'gamma' }] };

const PATTERN = /^[a-z]+$/;

function byHand(self) {
  return self.replicas <= self.maxReplicas && self.items.every((item) => PATTERN.test(item.name));
}

/** The median of several rounds, per call. */
function nanoseconds(call, calls, rounds = 9) {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call();
    times.push(Number(process.hrtime.bigint() - before) / calls);
  }
  return times.sort((a, b) => a - b)[rounds >> 1];
}

/**
 * A validation rule beside the same check written by hand.
 *
 * `ruleNanoseconds` and `handNanoseconds` are for evaluating either once, `compileMicroseconds` for parsing, checking and
 * compiling the rule once.
 */
export function benchCel(calls = 50_000) {
  const self = schemaType(SCHEMA, 'selfType');
  const environment = ruleEnvironment(self, false);
  const compiled = compile(RULE, environment, self);
  if (compiled.failed) throw new Error(compiled.message);
  const { program } = compiled;
  const variables = { self: OBJECT };
  const limits = { limit: 1_000_000 };
  const result = program.eval(variables, limits);
  if (result.error || result.value !== true || !byHand(OBJECT)) throw new Error('the rule does not hold');

  const handNanoseconds = nanoseconds(() => byHand(OBJECT), calls);
  const ruleNanoseconds = nanoseconds(() => program.eval(variables, limits), calls);
  const compileMicroseconds = nanoseconds(() => compile(RULE, environment, self), calls / 100) / 1000;
  return {
    rule: RULE,
    ruleNanoseconds,
    handNanoseconds,
    ratio: ruleNanoseconds / handNanoseconds,
    compileMicroseconds,
  };
}

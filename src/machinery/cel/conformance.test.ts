import { readFileSync, writeFileSync } from 'node:fs';
import {
  getConformanceSuite,
  type IncrementalTest,
  type IncrementalTestSuite,
} from '@bufbuild/cel-spec/testdata/tests.js';
import { expect, it } from 'vitest';
import { Environment } from './environment.js';
import { COMPREHENSIONS } from './library/comprehensions.js';
import { OPTIONALS_LIBRARY } from './library/optionals.js';
import { STANDARD } from './library/standard.js';
import { STRINGS } from './library/strings.js';
import { BIND_MACROS, OPTIONAL_MACROS, STANDARD_MACROS, TWO_VARIABLE_MACROS } from './syntax/macros.js';
import { member, type Overload, overload } from './types/declarations.js';
import * as t from './types/type.js';
import { equals } from './values/compare.js';
import { makeMap } from './values/containers.js';
import { CelError } from './values/error.js';
import { toDouble, toInt, Uint } from './values/numbers.js';
import { runtimeType } from './values/runtime-type.js';

// The conformance suite of the CEL specification, against what Kubernetes enables of the language. Cases that do not
// pass are listed with the reason; a case that is listed must not pass.

type OriginalTest = IncrementalTest['original'];
type Value = Extract<OriginalTest['resultMatcher'], { case: 'value' }>['value'];
type Declaration = OriginalTest['typeEnv'][number];
type Declared = Extract<Declaration['declKind'], { case: 'ident' }>['value']['type'];

const EXCEPTIONS = new URL('./conformance-exceptions.json', import.meta.url);

const base = Environment.create(
  [
    { functions: STANDARD, macros: STANDARD_MACROS },
    { functions: OPTIONALS_LIBRARY, macros: OPTIONAL_MACROS, types: [t.opaqueType('optional_type')] },
    { functions: STRINGS },
    { functions: COMPREHENSIONS, macros: TWO_VARIABLE_MACROS },
    { functions: {}, macros: BIND_MACROS },
  ],
  { escapedNames: true, homogeneousLiterals: false },
);

function toValue({ kind }: Value): unknown {
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value;
    case 'int64Value':
      return toInt(kind.value);
    case 'uint64Value':
      return new Uint(kind.value);
    case 'doubleValue':
      return toDouble(kind.value);
    case 'listValue':
      return kind.value.values.map(toValue);
    case 'mapValue':
      return makeMap(kind.value.entries.map((e) => [toValue(e.key!), toValue(e.value!)]));
    case 'typeValue':
      return new t.Type('struct', kind.value);
    default:
      throw new CelError('protobuf value');
  }
}

const PRIMITIVES = [t.ERROR, t.BOOL, t.INT, t.UINT, t.DOUBLE, t.STRING, t.BYTES];
const WELL_KNOWN = [t.ERROR, t.ANY, t.TIMESTAMP, t.DURATION];

function toType(declared: Declared): t.Type {
  const kind = declared?.typeKind;
  switch (kind?.case) {
    case 'primitive':
      return PRIMITIVES[kind.value]!;
    case 'wellKnown':
      return WELL_KNOWN[kind.value]!;
    case 'wrapper':
      return t.nullableType(PRIMITIVES[kind.value]!);
    case 'null':
      return t.NULL;
    case 'listType':
      return t.listType(toType(kind.value.elemType));
    case 'mapType':
      return t.mapType(toType(kind.value.keyType), toType(kind.value.valueType));
    case 'typeParam':
      return t.paramType(kind.value);
    case 'type':
      return kind.value.typeKind.case ? t.typeOf(toType(kind.value)) : t.TYPE;
    case 'abstractType':
      return t.opaqueType(kind.value.name, ...kind.value.parameterTypes.map(toType));
    case 'messageType':
      throw new CelError('protobuf message');
    default:
      return t.DYN;
  }
}

/** Functions that a case declares, for the type checker: they do nothing. */
function declaredFunctions(declarations: readonly Declaration[]): Record<string, Overload[]> {
  const functions: Record<string, Overload[]> = {};
  for (const { name, declKind } of declarations) {
    if (declKind.case !== 'function') continue;
    functions[name] = declKind.value.overloads.map((o) =>
      (o.isInstanceFunction ? member : overload)(o.overloadId, o.params.map(toType), toType(o.resultType)),
    );
  }
  return functions;
}

/** Kubernetes has no containers: names that a container shortens are written out. */
function writtenOut({ expr, container }: OriginalTest): string {
  return container === 'google.protobuf' ? expr.replace(/\b(?=(?:[A-Z]\w*)?Value[{.])/g, 'google.protobuf.') : expr;
}

type Outcome = { value: unknown } | { type: t.Type } | { error: string };

function run(test: OriginalTest): Outcome {
  try {
    const variables: Record<string, t.Type> = {};
    const bindings: Record<string, unknown> = {};
    for (const { name, declKind } of test.typeEnv) {
      if (declKind.case === 'ident') variables[name] = toType(declKind.value.type);
    }
    for (const [name, { kind }] of Object.entries(test.bindings)) {
      if (kind.case !== 'value') return { error: 'unknown value' };
      bindings[name] = toValue(kind.value);
      variables[name] ??= t.DYN;
    }
    const env = base.withVariables(variables).withLibraries([{ functions: declaredFunctions(test.typeEnv) }]);
    const checked = env.check(writtenOut(test));
    if (checked.issues) return { error: checked.issues.toString() };
    if (test.checkOnly) return { type: checked.type };
    const result = env.program(checked).eval(bindings);
    return result.error ? { error: result.error.message } : { value: result.value };
  } catch (e) {
    if (e instanceof CelError) return { error: e.message };
    throw e;
  }
}

function same(actual: unknown, expected: Value): boolean {
  const wanted = toValue(expected);
  if (Number.isNaN(wanted)) return Number.isNaN(actual);
  return runtimeType(actual).name === runtimeType(wanted).name && equals(actual, wanted);
}

function passes(test: OriginalTest): boolean {
  const outcome = run(test);
  const { resultMatcher } = test;
  try {
    switch (resultMatcher.case) {
      case 'value':
        return 'value' in outcome && same(outcome.value, resultMatcher.value);
      case 'evalError':
      case 'anyEvalErrors':
        // Bad literals are noticed before anything is evaluated.
        return 'error' in outcome && !/undeclared reference|^protobuf|^unknown/.test(outcome.error);
      case 'typedResult': {
        const { result, deducedType } = resultMatcher.value;
        if ('error' in outcome) return false;
        if ('type' in outcome) return t.formatType(outcome.type) === t.formatType(toType(deducedType));
        return result !== undefined && same(outcome.value, result);
      }
      default:
        return 'value' in outcome && outcome.value === true;
    }
  } catch (e) {
    if (e instanceof CelError) return false;
    throw e;
  }
}

function* cases(suite: IncrementalTestSuite, path: string): Generator<[string, IncrementalTest]> {
  for (const test of suite.tests) yield [`${path}/${test.name}`, test];
  for (const child of suite.suites) yield* cases(child, path === '' ? child.name : `${path}/${child.name}`);
}

const UNEXPLAINED = 'not explained';

/**
 * Why a case does not pass, for the list. What Kubernetes enables was read off the options of its base environment
 * (apiserver, pkg/cel/environment) and off the environment of device selectors, which alone has cel.bind.
 */
function reason(path: string, test: OriginalTest): string {
  const [suite, section] = path.split('/') as [string, string];
  const names =
    test.expr + test.container + JSON.stringify(test.typeEnv, jsonSafe) + JSON.stringify(test.bindings, jsonSafe);
  const extension = /^(block|encoders|math|network|proto2)_ext$/.exec(suite)?.[1];
  if (extension) return `the ${extension} extension is not enabled`;
  if (suite === 'enums' && section.startsWith('strong')) return 'enums are numbers: strong enums are not enabled';
  if (/TestAllTypes|TestRequired|GlobalEnum|conformance\.proto[23]/.test(names)) {
    return 'no environment registers protobuf messages other than the well-known ones';
  }
  if (/"(?:messageType|typeUrl)":/.test(names)) return 'no variable holds a protobuf message';
  if (test.disableCheck) return 'expressions are always type-checked';
  if (test.container !== '') return 'there are no containers';
  if (/%|str_var/.test(test.expr) && suite === 'string_ext') {
    return 'format() of version 2 of the strings extension prints otherwise';
  }
  if (/indexof_out_of_range/.test(path)) return 'cel-go: indexOf() beyond the end is -1';
  if (suite === 'optionals') return 'cel-go: presence tests of plain values are errors only when an option is set';
  if (/map_value_repeat_key/.test(path)) return 'cel-go: of equal keys in a map literal the last one wins';
  if (/null_assignable_to_abstract/.test(path)) return 'cel-go: of null and an optional the null is the common type';
  return UNEXPLAINED;
}

function jsonSafe(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

it('passes the conformance suite except for the cases that are listed', () => {
  const listed = new Set<string>(
    Object.values(JSON.parse(readFileSync(EXCEPTIONS, 'utf8')) as Record<string, string[]>).flat(),
  );
  const failed: Record<string, string[]> = {};
  let total = 0;
  let passed = 0;
  const wrong: string[] = [];
  const seen = new Map<string, number>();
  for (const [name, { original }] of cases(getConformanceSuite(), '')) {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    const path = count === 1 ? name : `${name}#${count}`;
    total++;
    if (passes(original)) {
      passed++;
      if (listed.has(path)) wrong.push(`passes now: ${path}`);
    } else {
      const why = reason(path, original);
      failed[why] ??= [];
      failed[why].push(path);
      if (!listed.has(path))
        wrong.push(`fails: ${path}: ${original.expr} => ${JSON.stringify(run(original), jsonSafe)}`);
    }
  }
  if (process.env.UPDATE_CONFORMANCE) writeFileSync(EXCEPTIONS, `${JSON.stringify(failed, null, 1)}\n`);
  const reasons = Object.entries(failed).map(([why, paths]) => `\n  ${String(paths.length).padStart(4)}  ${why}`);
  console.log(`CEL conformance: ${passed} of ${total} cases pass, the others are not enabled:${reasons.join('')}`);
  expect(wrong).toEqual([]);
  expect(failed[UNEXPLAINED]).toBeUndefined();
});

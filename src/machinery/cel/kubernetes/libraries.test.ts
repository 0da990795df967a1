import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import { DYN, STRING } from '../types/type.js';
import { LazyObject } from '../values/containers.js';
import { admissionEnvironment, BASE_ENVIRONMENT, VariableTypes } from './environments.js';
import { LIMITS } from './limits.js';

const env = BASE_ENVIRONMENT.withVariables({ d: DYN, s: STRING });
const variables = { d: { list: [1, 2.5, 'x'], n: 7, big: 9007199254740993n, nil: null, ratio: 2 }, s: 'text' };

/** The value of an expression, or the message of its error. */
function run(expression: string, environment = env): unknown {
  const result = compile(expression, environment);
  if (result.failed) return `${result.failed}: ${result.issues[0]?.message ?? result.message}`;
  const outcome = result.program.eval(variables, { limit: LIMITS.perCall });
  return outcome.error ? `error: ${outcome.error.message}` : outcome.value;
}

describe('expressions that hold', () => {
  it.each([
    // numbers
    '9223372036854775807 - 1 == 9223372036854775806',
    'd.big + 1 == 9007199254740994',
    'd.big > 9007199254740992',
    '7 / -2 == -3 && 7 % -2 == 1 && -7 % 2 == -1',
    '-0.0 == 0.0 && 1.0 / 0.0 > 1e308',
    'double(3) / 2.0 == 1.5 && int(-1.9) == -1 && uint(3.7) == 3u',
    'dyn(1) == dyn(1.0) && dyn(1u) == dyn(1) && 1 < 1.5 && 2u > 1',
    'd.list[1] == 2.5 && type(d.list[1]) == double && type(d.list[0]) == int',
    'string(1.0) == "1" && string(1234567.0) == "1.234567e+06" && string(0.00001) == "1e-05"',
    // time
    'timestamp("2024-02-29T12:30:15.5Z").getDayOfYear() == 59',
    'timestamp("2024-07-01T00:30:00Z").getHours("Europe/Berlin") == 2',
    'timestamp("2024-01-01T00:30:00Z").getDate("-01:00") == 31',
    'timestamp("2024-01-01T00:00:00Z") + duration("36h") == timestamp("2024-01-02T12:00:00Z")',
    'timestamp("2024-01-01T00:00:00+02:00") < timestamp("2024-01-01T00:00:00Z")',
    'string(timestamp("2024-01-01T00:00:00.120Z")) == "2024-01-01T00:00:00.12Z"',
    'string(duration("1h30m0.5s")) == "5400.5s" && duration("90m").getHours() == 1 && duration("-1.5s").getMilliseconds() == -1500',
    // strings
    '"tacocat".indexOf("a", 2) == 5 && "tacocat".lastIndexOf("c", 3) == 2 && "".indexOf("") == 0',
    '"a😁b".charAt(1) == "😁" && "a😁b".size() == 3 && "a😁b".substring(1, 2) == "😁" && "a😁b".indexOf("b") == 2',
    '"a,b,c".split(",", 2) == ["a", "b,c"] && "abc".split("") == ["a", "b", "c"] && "x".split(",", 0) == []',
    '"aXbX".replace("X", "--", 1) == "a--bX" && "ab".replace("", "-") == "-a-b-" && "aaa".replace("a", "b", 2) == "bba"',
    '" \\t\\u00a0x\\n".trim() == "x" && "ÀbC".lowerAscii() == "Àbc" && ["a", "b"].join("-") == "a-b"',
    'strings.quote("a\\"\\n") == "\\"a\\\\\\"\\\\n\\""',
    '"%s|%d|%x|%.1f|%b|%o".format([dyn([1, 2]), dyn(3), dyn("hi"), dyn(1234.56), dyn(5), dyn(8)]) == "[1, 2]|3|6869|1,234.6|101|10"',
    '"ab12cd345".findAll("[0-9]+") == ["12", "345"] && "ab12cd345".findAll("[0-9]+", 1) == ["12"] && "ab".find("[0-9]") == ""',
    '"foobar".matches("o+b") && !"foobar".matches("^o") && s.matches("(?i)TEXT")',
    // lists and maps
    '[1, 2, 2, 3].isSorted() && [1, 2].sum() == 3 && [1.5, 2.5].sum() == 4.0 && [].isSorted()',
    '[duration("1s"), duration("2s")].sum() == duration("3s") && ["b", "a"].min() == "a" && [2, 7].max() == 7',
    '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(3) == -1',
    '[1, 2, 3, 4].slice(1, 3) == [2, 3] && [3, 1, 2].sort() == [1, 2, 3] && [1, 2].reverse() == [2, 1]',
    '["a", "b", "a"].distinct() == ["a", "b"] && lists.range(3) == [0, 1, 2] && [[1], [2]].flatten(0) == [[1], [2]]',
    '[{"n": 2}, {"n": 1}].sortBy(x, x.n).map(x, x.n) == [1, 2] && [1, 2].first() == optional.of(1) && [].last() == optional.none()',
    'sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [1, 2]) && !sets.intersects([1], [])',
    '{"a": 1, "b": 2}.all(k, v, v > 0 && k != "") && [5, 6].exists(i, v, i == 1 && v == 6) && [7, 8].existsOne(i, v, v == 8)',
    '[1, 2].transformList(i, v, i + v) == [1, 3] && [1, 2, 3].transformList(i, v, v > 1, v) == [2, 3]',
    '{"a": 1}.transformMap(k, v, k == "a", v + 1) == {"a": 2} && {"a": "x"}.transformMapEntry(k, v, {v: k}) == {"x": "a"}',
    '{1: "a", 2: "b"}[2] == "b" && {true: 1}[true] == 1 && dyn(2u) in {1: 1, 2: 2}',
    '"k" in {"k": 1} && !(1 in [2, 3]) && d.n in [7, 8]',
    'has(d.n) && !has(d.zzz) && has(d.nil) && d.nil == null',
    // optionals
    'd.?n.orValue(0) == 7 && d.?zzz.orValue(1) == 1 && d[?"n"].hasValue() && !d.?a.?b.c.hasValue()',
    '[1][?3] == optional.none() && {"a": 1}[?"a"].value() == 1 && {?"x": d.?zzz} == {} && [?d.?n, ?d.?q] == [7]',
    'd.?n.optMap(x, x + 1) == optional.of(8) && d.?zzz.optFlatMap(x, d.?n).or(optional.of(1)).value() == 1',
    'optional.ofNonZeroValue("") == optional.none() && optional.unwrap([optional.of(1), optional.none()]) == [1]',
    // quantities
    'quantity("1Gi").isGreaterThan(quantity("1G")) && quantity("1000m").compareTo(quantity("1")) == 0 && quantity("1") == quantity("1000m")',
    'quantity("50k").add(20).isLessThan(quantity("60k")) && quantity("1").sub(quantity("500m")).asApproximateFloat() == 0.5 && sign(quantity("-1")) == -1',
    'quantity("50k").asInteger() == 50000 && !quantity("0.5").isInteger() && isQuantity("1.5Mi") && !isQuantity("1 M")',
    // addresses
    'ip("192.168.0.1").family() == 4 && ip("::1").isLoopback() && ip("224.0.0.1").isLinkLocalMulticast() && ip("fe80::1").isLinkLocalUnicast()',
    'ip("8.8.8.8").isGlobalUnicast() && !ip("255.255.255.255").isGlobalUnicast() && ip("0.0.0.0").isUnspecified() && string(ip("2001:db8:0:0:0:0:0:1")) == "2001:db8::1"',
    'ip.isCanonical("::1") && !ip.isCanonical("0:0::1") && isIP("::ffff") && !isIP("::ffff:1.2.3.4") && !isIP("01.2.3.4") && !isIP("fe80::1%eth0")',
    'cidr("192.168.0.0/16").containsIP(ip("192.168.3.4")) && !cidr("192.168.0.0/16").containsIP("10.0.0.1") && cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")',
    'cidr("10.1.2.3/9").masked() == cidr("10.0.0.0/9") && cidr("::/0").prefixLength() == 0 && string(cidr("10.0.0.5/8").ip()) == "10.0.0.5" && !isCIDR("10.0.0.0/33") && !isCIDR("1.2.3.4")',
    // URLs
    'url("https://user@example.com:80/a%20b?x=1&x=2&y#f").getHost() == "example.com:80" && url("https://example.com:80/").getPort() == "80"',
    'url("https://h/a b?q=%41+b").getEscapedPath() == "/a%20b" && url("https://h/?q=%41+b").getQuery() == {"q": ["A b"]}',
    'url("/path").getScheme() == "" && isURL("/x") && !isURL("x") && !isURL("http://h:port/") && url("HTTP://h").getScheme() == "http"',
    // formats
    'format.dns1123Subdomain().validate("a.b-c.d") == optional.none() && format.named("dns1123Label").hasValue() && !format.named("x").hasValue()',
    'format.labelValue().validate("-").value().size() == 1 && !format.uuid().validate("0b37cf0a-1234-4a5b-8c9d-0123456789ab").hasValue() && format.date().validate("2024-13-01").hasValue()',
    '!format.dns1123LabelPrefix().validate("abc-").hasValue() && format.dns1035Label().validate("1a").hasValue() && !format.uri().validate("http://x").hasValue() && format.byte().validate("a").hasValue()',
    // versions
    'semver("1.2.3-rc.1").isLessThan(semver("1.2.3")) && semver("1.10.0").compareTo(semver("1.9.9")) == 1 && semver("1.2.3+x") == semver("1.2.3")',
    'semver("v01.2", true).minor() == 2 && !isSemver("v1.0.0") && isSemver("v1.0.0", true) && !isSemver("1.2") && !isSemver("01.2.3") && semver("1.2.3-alpha.1").isLessThan(semver("1.2.3-alpha.beta"))',
    // names that mean something to JavaScript
    '!has(d.constructor) && d.?toString == optional.none() && !("valueOf" in d) && {"__proto__": 1}.__proto__ == 1',
    // logic that swallows errors
    'false && 1 / 0 > 0 || true || 1 / 0 > 0',
    '1 / 0 > 0 || true',
    '[1, 0].exists(x, 1 / x > 0) && ![0, 2].all(x, 1 / x > 0)',
  ])('%s', (expression) => {
    expect(run(expression)).toBe(true);
  });
});

describe('expressions that fail', () => {
  it.each([
    ['9223372036854775807 + 1', 'error: integer overflow'],
    ['-9223372036854775808 - 1', 'error: integer overflow'],
    ['-(-9223372036854775808)', 'error: integer overflow'],
    ['9223372036854775807 * 2', 'error: integer overflow'],
    ['1u - 2u', 'error: unsigned integer overflow'],
    ['1 / 0', 'error: division by zero'],
    ['1 % 0', 'error: modulus by zero'],
    ['int(1e99)', 'instantiation: integer overflow'],
    ['uint(d.n - 8)', 'error: unsigned integer overflow'],
    ['d.zzz', 'error: no such key: zzz'],
    ['d.list[5]', 'error: index out of bounds: 5'],
    ['d.list["a"]', "error: unsupported index type 'string' in list"],
    ['d.n + "x"', 'error: no such overload'],
    ['d.n.startsWith("x")', 'error: no such overload'],
    ['d.n + d.list[2]', 'error: no such overload'],
    ['d.n ? 1 : 2', 'error: no such overload'],
    ['d.n && true', 'error: no such overload'],
    ['d.n.all(x, true)', "error: got 'int', expected iterable type"],
    ['[0].all(x, 1 / x > 0)', 'error: division by zero'],
    ['optional.none().value()', 'error: optional.none() dereference'],
    ['"abc".charAt(4)', 'error: index out of range: 4'],
    ['"abc".substring(2, 1)', 'error: invalid substring range. start: 2, end: 1'],
    ['[].min()', 'error: min called on empty list'],
    ['[1].slice(0, 2)', 'error: cannot slice(0, 2), list is length 1'],
    ['d.list.sort()', 'error: list elements must have the same type'],
    ['s.matches(s + "(")', 'error: error parsing regexp: missing closing ): `text(`'],
    ['s.find(s + "(")', 'error: Illegal regex: error parsing regexp: missing closing ): `text(`'],
    ['timestamp(s)', "error: type conversion error from 'string' to 'google.protobuf.Timestamp'"],
    ['timestamp("2024-01-01T00:00:00Z").getHours("Nowhere/Town")', 'error: unknown time zone Nowhere/Town'],
    [
      'quantity("x")',
      "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    ['quantity("0.5").asInteger()', 'error: cannot convert value to integer'],
    ['ip("x")', 'error: IP Address "x" parse error during conversion from string: ParseAddr("x"): unable to parse IP'],
    [
      'ip("1.2.3")',
      'error: IP Address "1.2.3" parse error during conversion from string: ParseAddr("1.2.3"): IPv4 address too short',
    ],
    ['ip("::ffff:1.2.3.4")', 'error: IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'],
    [
      'cidr("1.2.3.4")',
      'error: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("1.2.3.4"): no \'/\'',
    ],
    ['url("x")', 'error: URL parse error during conversion from string: parse "x": invalid URI for request'],
    ['semver("1.2")', 'error: No Major.Minor.Patch elements found'],
    [
      '{"a": 1}.transformMapEntry(k, v, {"b": 1, k: 2}).size() + {1: 2, 2: 2}.transformMapEntry(k, v, {v: k}).size()',
      'error: insert failed: key 2 already exists',
    ],
    ['lists.range(1000000000)', 'error: operation cancelled: actual cost limit exceeded'],
    ['lists.range(2000).distinct()', 'error: operation cancelled: actual cost limit exceeded'],
    [
      'lists.range(900).map(x, lists.range(900).map(y, x * y)).size()',
      'error: operation cancelled: actual cost limit exceeded',
    ],
    ['string(lists.range(4000)).size()', 'compilation: '],
    [
      '[lists.range(3000).map(x, s)].map(l, l.join("0123456789".replace("", "0123456789".replace("", "0123456789".replace("", "0123456789"))))).size()',
      'error: string size limit exceeded',
    ],
  ])('%s', (expression, message) => {
    expect(String(run(expression))).toContain(message);
  });
});

it('takes computed variables that are null for what they are', () => {
  class Variables extends LazyObject {
    field = (name: string) => (name === 'x' ? null : undefined);
  }
  const variables = new VariableTypes();
  const policy = admissionEnvironment({ params: false, authorizer: false, patchTypes: false, variables });
  expect(compile('variables.x', policy).failed).toBe('compilation');
  variables.set('x', DYN);
  for (const expression of ['variables.x == null', 'has(variables.x)', 'variables.?x == optional.of(null)']) {
    const compiled = compile(expression, policy);
    if (compiled.failed) throw new Error(compiled.message);
    const outcome = compiled.program.eval({ variables: new Variables() }, { limit: LIMITS.perCall });
    expect(outcome).toMatchObject({ value: true });
  }
  expect(compile('variables.y', policy).failed).toBe('compilation');
});

it('has JSON patches and objects in mutating policies only', () => {
  const patches = admissionEnvironment({ params: false, authorizer: false, patchTypes: true });
  expect(run('jsonpatch.escapeKey("a/b~c") == "a~1b~0c"', patches)).toBe(true);
  expect(run('JSONPatch{op: "add", path: "/x", value: 1}.op == "add"', patches)).toBe(true);
  expect(run('Object{spec: Object.spec{n: 1}}.spec.n == 1', patches)).toBe(true);
  expect(run('JSONPatch{op: 1}', patches)).toBe(
    "compilation: expected type of field 'op' is 'string' but provided type is 'int'",
  );
  expect(
    run('Object{a: 1} == Object{a: 1} && Object{a: 1} != Object{a: 2} && dyn(Object{}) != Object.spec{}', patches),
  ).toBe(true);
  expect(run('Object{a: 1} == Object{a: 1.0} || Object{a: 1} == Object{}', patches)).toBe(false);
  expect(run('type(Object.spec{}) == Object.spec && type(Object{}) != Object.spec', patches)).toBe(true);
  expect(run('JSONPatch{op: "add", value: [1]} == JSONPatch{op: "add", value: [1.0]}', patches)).toBe(true);
  expect(run('JSONPatch{op: "add", value: 1} == JSONPatch{op: "add"}', patches)).toBe(false);
  expect(run('JSONPatch{op: "add"} == JSONPatch{op: "test"}', patches)).toBe(false);
  expect(run('JSONPatch{op: "add"}.from == "" && !has(JSONPatch{}.op) && !JSONPatch{}.?path.hasValue()', patches)).toBe(
    true,
  );
  expect(run('has(JSONPatch{op: "add"}.op) && has(JSONPatch{value: null}.value)', patches)).toBe(true);
  expect(run('Object{}')).toBe("compilation: undeclared reference to 'Object' (in container '')");
  expect(run('jsonpatch.escapeKey("")')).toContain("undeclared reference to 'jsonpatch'");
});

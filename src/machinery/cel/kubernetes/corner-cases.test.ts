import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import { BOOL, DYN, INT, listType, STRING } from '../types/type.js';
import { AUTHORIZER, authorizerValues, type CheckAttributes } from './authorizer.js';
import { BASE_ENVIRONMENT, deviceEnvironment, ruleEnvironment } from './environments.js';
import { LIMITS } from './limits.js';
import { schemaType } from './schema.js';

const env = BASE_ENVIRONMENT.withVariables({ s: STRING, n: INT, d: DYN, b: BOOL, l: listType(INT) });
const variables = { s: 'text', n: 7, d: { l: [3, 1] }, b: true, l: [3, 1, 2] };

function run(expression: string, limit: number = LIMITS.perCall): unknown {
  const result = compile(expression, env);
  if (result.failed) return result.issues[0]?.message ?? result.message;
  const outcome = result.program.eval(variables, { limit });
  return outcome.error ? `error: ${outcome.error.message}` : outcome.value;
}

describe('corner cases of the Kubernetes libraries', () => {
  it.each([
    // quantities: signs, formats, what is beyond 64 bits
    'quantity("-1k").add(quantity("1001")) == quantity("1") && sign(quantity("0")) == 0 && quantity("1e3") == quantity("1k")',
    'quantity("9223372036854775807").isInteger() && !quantity("9223372036854775808").isInteger() && !quantity("1m").isInteger()',
    '!isQuantity("") && !isQuantity("1kk") && !isQuantity("--1") && !isQuantity("1 ") && isQuantity(".5") && isQuantity("+1")',
    // addresses
    'isIP("::") && !isIP("") && !isIP("1.2.3.4.5") && !isIP("1.2.3.256") && !isIP("[::1]") && !isIP("::ffff:1.2.3.4")',
    '!isCIDR("10.0.0.0/08") && !isCIDR("10.0.0.0/+8") && !isCIDR("10.0.0.0/") && isCIDR("::/128") && !isCIDR("::/129")',
    '!cidr("10.0.0.0/8").containsCIDR("10.0.0.0/7") && !cidr("::/0").containsIP("1.2.3.4") && cidr("0.0.0.0/0").containsIP("1.2.3.4")',
    'cidr("10.0.0.0/8") != cidr("10.0.0.0/9") && ip("::1") != ip("127.0.0.1") && cidr("10.0.0.1/8").ip() == ip("10.0.0.1")',
    // URLs
    '!isURL("") && !isURL("http://[::1") && !isURL("http://a b/") && isURL("mailto:a@b") && !isURL("%zz") && url("http://h").getPort() == ""',
    'url("http://[::1]:8080/p").getHostname() == "::1" && url("http://h?a=1&a=2&b").getQuery() == {"a": ["1", "2"], "b": [""]}',
    'url("/p%2Fq").getEscapedPath() == "/p%2Fq" && !isURL("https://h#frag") && url("http://h/") != url("http://h")',
    // versions
    '!isSemver("") && !isSemver("1.2.3-") && !isSemver("1.2.3-01") && !isSemver("-1.0.0") && isSemver("1.2.3-0a") && isSemver("1.0.0+01")',
    '!isSemver("v1", false) && isSemver("v1", true) && !isSemver("vv1", true) && !isSemver("1.2.3.4", true) && semver("1", true).patch() == 0',
    'semver("1.0.0-alpha").isLessThan(semver("1.0.0-alpha.1")) && semver("1.0.0-2").isLessThan(semver("1.0.0-11")) && semver("1.0.0-a") != semver("1.0.0-b")',
    // formats
    'format.dns1123Label().validate("A").hasValue() && format.dns1123Label().validate("a.b").value() == ["must not contain dots"]',
    '!format.dns1035Label().validate("a-1").hasValue() && format.qualifiedName().validate("a/b/c").hasValue() && format.qualifiedName().validate("").hasValue()',
    '!format.labelValue().validate("").hasValue() && format.dns1123SubdomainPrefix().validate("-a").hasValue() && format.uri().validate("a b").hasValue()',
    'format.date().validate("2023-02-29").hasValue() && !format.date().validate("2024-02-29").hasValue() && format.datetime().validate("2024-01-01").hasValue()',
    'format.named("uuid").value() == format.uuid() && format.named("constructor") == optional.none()',
    // regular expressions
    '"abc".find("") == "" && "abc".findAll("").size() == 4 && "aaa".findAll("a", -1) == ["a", "a", "a"] && "aaa".findAll("a", 0) == []',
    '"a\\nb".matches("a.b") == false && "a\\nb".matches("(?s)a.b") && "ÄÖ".matches("^\\\\pL+$") && !"".matches(".")',
    // formats of numbers, of arguments of many types
    '"%e|%.1e".format([3.14, -1500.0]) == "3.140000×10⁰⁰|-1.5×10⁰³"',
    '"%d %s %f %s".format([1, "abc", 1.0, duration("1m")]) == "1 abc 1.000000 60s"',
    '"%s".format([{"a": [1, "b"]}]) == "{\\"a\\":[1, \\"b\\"]}"',
    'optional.ofNonZeroValue(timestamp("0001-01-01T00:00:00Z")) == optional.none() && optional.ofNonZeroValue(timestamp(0)).hasValue()',
    // lists
    '[b"b", b"a"].max() == b"b" && [true, false].min() == false && ![2u, 1u].isSorted() && [timestamp(2), timestamp(1)].min() == timestamp(1)',
    '[].sum() == 0 && [1u, 2u].sum() == 3u && [].indexOf(1) == -1 && [1.0].indexOf(1.0) == 0',
    'l.sortBy(x, -x) == [3, 2, 1] && [].sort() == [] && lists.range(0) == [] && lists.range(-1) == [] && [[[1]], [[2]]].flatten(2) == [1, 2]',
    '[0.0, -0.0].distinct().size() == 1 && [[1], [1]].distinct() == [[1]] && [1].slice(1, 1) == [] && [].reverse() == []',
    'dyn([1.0, 2.0]).sum() == 3.0 && dyn([duration("1s")]).sum() == duration("1s") && dyn([1, 2]).flatten() == [1, 2]',
    // sets
    'sets.contains([], []) && !sets.contains([], [1]) && sets.equivalent([], []) && !sets.intersects([], [])',
    'sets.equivalent([1], [dyn(1.0), dyn(1u)]) && !sets.equivalent([1], [1, 2]) && sets.contains([{"a": 1}], [{"a": 1}])',
  ])('%s', (expression) => {
    expect(run(expression)).toBe(true);
  });

  it.each([
    [
      'quantity("1").asInteger() + quantity("9223372036854775808").asInteger()',
      'error: cannot convert value to integer',
    ],
    [
      'quantity("1") > quantity("2")',
      "found no matching overload for '_>_' applied to '(kubernetes.Quantity, kubernetes.Quantity)'",
    ],
    ['quantity("1").add("1")', "found no matching overload for 'add' applied to 'kubernetes.Quantity.(string)'"],
    ['quantity(1)', "found no matching overload for 'quantity' applied to '(int)'"],
    ['isIP(ip("::1"))', "found no matching overload for 'isIP' applied to '(net.IP)'"],
    ['ip("::1").mask(1)', "undeclared reference to 'mask' (in container '')"],
    ['ip.isCanonical("x")', 'parse error during conversion from string'],
    ['cidr("10.0.0.0/8").containsIP("x")', 'ParseAddr("x"): unable to parse IP'],
    ['cidr("10.0.0.0/8").containsCIDR("10.0.0.1")', "no '/'"],
    ['cidr("10.0.0.0/8").broadcast()', "undeclared reference to 'broadcast' (in container '')"],
    ['url("x").getHost()', 'error: URL parse error during conversion from string: parse "x": invalid URI for request'],
    ['url("http://h").getUser()', "undeclared reference to 'getUser' (in container '')"],
    ['semver("1.2.3", 1)', "found no matching overload for 'semver' applied to '(string, int)'"],
    ['semver("01.2.3")', 'error: Major number must not contain leading zeroes'],
    ['semver("1.2.x")', 'error: Invalid character(s) found in patch number "x"'],
    ['format.email()', "undeclared reference to 'format' (in container '')"],
    ['format.named("x").value()', 'error: optional.none() dereference'],
    ['"x".find("[")', 'missing closing ]'],
    ['"x".matches("(")', 'invalid matches argument'],
    ['"x".findAll("a", "b")', "found no matching overload for 'findAll' applied to 'string.(string, string)'"],
    ['"a".replaceAll("a", "b")', "undeclared reference to 'replaceAll' (in container '')"],
    ['"abc".reverse()', "found no matching overload for 'reverse' applied to 'string.()'"],
    ['dyn(["a"]).sum()', 'error: no such overload'],
    ['dyn(1).flatten()', 'error: no such overload'],
    ['[1, "a"]', "expected type 'int' but found 'string'"],
    ['{"a": 1, "b": "c"}', "expected type 'int' but found 'string'"],
    ['{"a": 1, 2: 3}', "expected type 'string' but found 'int'"],
    ['[1, [2, "a"]].size() > "%s".format([1]).size()', "expected type 'int' but found 'list(dyn)'"],
    ['timestamp(-62135596801)', 'invalid timestamp argument'],
    ['timestamp(253402300800)', 'invalid timestamp argument'],
    ['timestamp(n - 62135596809)', 'error: timestamp overflow'],
    ['[[1]].sum()', "found no matching overload for 'sum' applied to 'list(list(int)).()'"],
    ['["a"].sum()', "found no matching overload for 'sum' applied to 'list(string).()'"],
    ['d.l.max() + [].max()', 'max called on empty list'],
    ['l.slice(2, 1)', 'error: cannot slice(2, 1), start index must be less than or equal to end index'],
    ['l.slice(-1, 1)', 'error: cannot slice(-1, 1), negative indexes not supported'],
    ['[[1]].flatten(-1)', 'error: level must be non-negative'],
    ['[{"a": 1}].sort()', "found no matching overload for 'sort' applied to 'list(map(string, int)).()'"],
    ['math.greatest(1, 2)', "undeclared reference to 'math' (in container '')"],
    ['base64.encode(b"a")', "undeclared reference to 'base64' (in container '')"],
    ['cel.bind(x, 1, x)', "undeclared reference to 'cel' (in container '')"],
    ['regex.replace("a", "b", "c")', "undeclared reference to 'regex' (in container '')"],
    ['proto.hasExt(d, x.y)', "undeclared reference to 'proto' (in container '')"],
  ])('%s fails', (expression, message) => {
    expect(String(run(expression))).toContain(message);
  });

  it('binds names in device selectors only', () => {
    expect(compile('cel.bind(x, device.driver, x == x)', deviceEnvironment(true)).failed).toBeUndefined();
    expect(compile('cel.block([1], cel.index(0))', deviceEnvironment(true)).failed).toBe('compilation');
  });
});

describe('the authorizer', () => {
  const asked: CheckAttributes[] = [];
  const user = { name: 'alice', groups: ['dev'] };
  const values = authorizerValues(
    {
      authorize: (attributes) => {
        asked.push(attributes);
        if (attributes.resource === 'broken') return { verdict: 'NoOpinion', reason: '', error: 'out of reach' };
        return { verdict: attributes.verb === 'get' ? 'Allow' : 'Deny', reason: `verb ${attributes.verb}` };
      },
    },
    user,
    { group: '', resource: 'pods', subresource: '', namespace: 'x', name: 'y' },
  );
  const withAuthorizer = env.withVariables({ authorizer: AUTHORIZER });

  function ask(expression: string): unknown {
    const result = compile(expression, withAuthorizer);
    if (result.failed) return result.issues[0]?.message ?? result.message;
    const outcome = result.program.eval({ ...variables, authorizer: values.authorizer }, { limit: LIMITS.perCall });
    return outcome.error ? `error: ${outcome.error.message}` : outcome.value;
  }

  it.each<[string, unknown]>([
    ['authorizer.group("").resource("pods").namespace("x").check("get").allowed()', true],
    ['authorizer.group("").resource("pods").check("delete").allowed()', false],
    ['authorizer.group("").resource("pods").check("delete").reason()', 'verb delete'],
    ['authorizer.group("").resource("broken").check("get").errored()', true],
    ['authorizer.group("").resource("broken").check("get").error()', 'out of reach'],
    ['authorizer.group("").resource("broken").check("get").allowed()', false],
    ['authorizer.path("/healthz").check("get").allowed()', true],
    ['authorizer.path("").check("get").allowed()', 'error: path must not be empty'],
    ['authorizer.group("").resource("").check("get").allowed()', 'error: resource must not be empty'],
    [
      'authorizer.serviceAccount("A", "x").path("/").check("get").allowed()',
      'error: Invalid service account namespace',
    ],
    [
      'authorizer.check("get")',
      "found no matching overload for 'check' applied to 'kubernetes.authorization.Authorizer.(string)'",
    ],
  ])('%s is %s', (expression, expected) => {
    expect(ask(expression)).toBe(expected);
  });

  it('asks for what the expression says', () => {
    asked.length = 0;
    const check = 'authorizer.serviceAccount("ns", "sa").group("apps").resource("deployments").subresource("scale")';
    expect(
      ask(`${check}.namespace("x").name("y").labelSelector("a=b").fieldSelector("c=d").check("get").allowed()`),
    ).toBe(true);
    expect(asked[0]).toMatchObject({
      user: { name: 'system:serviceaccount:ns:sa' },
      group: 'apps',
      resource: 'deployments',
      subresource: 'scale',
      namespace: 'x',
      name: 'y',
      labelSelector: 'a=b',
      fieldSelector: 'c=d',
    });
  });
});

describe('limits of cost', () => {
  it.each([
    ['l.all(x, x > 0)', 5],
    ['s + s == s', 2],
    ['lists.range(100).map(x, x).size() > 0', 100],
    ['"aaaa".matches("a+") && s.matches(s)', 1],
    ['quantity("1").add(1).add(2).add(3).isInteger()', 3],
    ['sets.contains(l, l)', 3],
  ])('%s is stopped beyond %d', (expression, limit) => {
    expect(run(expression, limit)).toBe('error: operation cancelled: actual cost limit exceeded');
    expect(run(expression)).toBeTypeOf('boolean');
  });

  it('estimates without a limit where nothing bounds a list', () => {
    const max = (schema: object, rule: string) => {
      const self = schemaType(schema as never, 'self')!;
      const compiled = compile(rule, ruleEnvironment(self, false), self);
      if (compiled.failed) throw new Error(compiled.message);
      return compiled.estimatedCost.max;
    };
    const items = { type: 'string', maxLength: 10 };
    const rule = 'self.all(x, self.exists(y, x == y))';
    expect(max({ type: 'array', items, maxItems: 10 }, rule)).toBeLessThan(LIMITS.perCall);
    expect(max({ type: 'array', items }, rule)).toBeGreaterThan(LIMITS.perCall);
    expect(max({ type: 'string', maxLength: 5 }, 'self.matches("^a+$")')).toBeLessThan(10);
    expect(max({ type: 'string' }, 'self.matches("^(a+)+$")')).toBeGreaterThan(100_000);
  });
});

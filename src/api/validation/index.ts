/**
 * # Validation
 *
 * Rules are declared on the struct types of the catalog, as tables of field → rules, in the order in which the real
 * server reports faults. Every fault is collected. How to write a kind, in `src/api/<group>/<kind>.ts`:
 *
 * ```ts
 * const port = struct('core.v1.ContainerPort', {
 *   name: ifSet(portName),                       // runs when not ""
 *   containerPort: required(portNumber),          // Required value, or the range
 *   protocol: required(oneOf('TCP', 'UDP', 'SCTP')),
 *   hostIP: ifSet(ip),
 *   $sum: whole((o, at, c) => { … c.errors.push(invalidValue(at.child('hostPort'), …)) }),   // between fields
 * });
 * const spec = struct('core.v1.PodSpec', { containers: [required(), each(container), uniqueBy('name')] });
 *
 * export const foo = kind({
 *   group: 'apps', kind: 'Foo',
 *   rules: struct('apps.v1.Foo', { spec: fooSpec }),           // metadata is checked before, by the kind's name rule
 *   updateRules: (obj, old, c) => immutable(spec(obj).selector, spec(old).selector, path('spec.selector'), c, META + 'LabelSelector'),
 *   subresources: { status: { rules: (obj, old, c) => … } },
 * });
 * ```
 *
 * - Objects are in minimal form. A rule sees an absent scalar that is no pointer as its zero value ("", 0, false), so
 *   `range(1, 65535)` fails on it; an absent pointer, list, map or struct is `undefined`. A struct by value is checked
 *   even when absent; wrap pointers in `ifPresent(…)`, or `requiredPresent('', …)`.
 * - `required` and `ifSet` guard the rules inside them; everything else looks at the value it gets. Several rules of a
 *   field stand in an array and all run.
 * - Code reads fields with `str`, `num`, `list`, `obj`, `ptr`, … of `../access.js`, never by casts.
 * - A fault that prints a struct needs its Go form: `invalidValue(at, goForm('core.v1.Taint', v), '…')`.
 * - Rules that need facts from around the struct (the volumes of the pod, the state of a gate, the old object) take a
 *   `Check` of their own: `interface PodCheck extends Check { volumes: … }`, `struct<PodCheck>(…)`, and the caller
 *   passes `{ ...c, volumes }`, which shares `errors`.
 * - A group's folder exports `strategies: GroupStrategies` from its index; `src/api/index.ts` lists the groups.
 * - `REPORT=Kind npx vitest run src/api/validation/recorded` prints where the rules differ from the recorded answers of
 *   a real server (`REPORT=all`: the rates of all kinds); so do `…/updates` for changes and `REPORT=plural …/facts` for
 *   probed cases. What a kind reached stands in `recorded-floors.json`, `updates-accepted.json` and
 *   `facts-complete.json`, so that it can only get better. `compileAllRules()` tells of misspelt fields.
 * - Tests that need no recordings write objects through `create` and `update` of `../strategy.suite.ts`.
 */
export * from './check.js';
export * from './conditions.js';
export * from './declarative.js';
export * from './diff.js';
export * as formats from './formats.js';
export * from './goform.js';
export * from './meta.js';
export * from './network.js';
export * from './paths.js';
export * from './rules.js';
export * from './selectors.js';

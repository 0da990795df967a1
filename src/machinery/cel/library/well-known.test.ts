import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import { BASE_ENVIRONMENT } from '../kubernetes/environments.js';
import { LIMITS } from '../kubernetes/limits.js';
import { DYN } from '../types/type.js';

const env = BASE_ENVIRONMENT.withVariables({ d: DYN });
const variables = { d: { list: [1, 'x'], map: { a: [1] }, text: 'x', big: 2 ** 40, keys: 'k' } };

function run(expression: string): unknown {
  const result = compile(expression, env);
  if (result.failed) return result.issues[0]?.message ?? result.message;
  const outcome = result.program.eval(variables, { limit: LIMITS.perCall });
  return outcome.error ? `error: ${outcome.error.message}` : outcome.value;
}

describe('well-known types of protobuf', () => {
  it.each([
    'google.protobuf.Duration{seconds: 90, nanos: 500000000} == duration("90.5s")',
    'google.protobuf.Duration{seconds: 9223372036854775807} == duration("9223372036.854775807s")',
    'google.protobuf.Timestamp{seconds: 1, nanos: -1} == timestamp("1970-01-01T00:00:00.999999999Z")',
    'google.protobuf.Timestamp{} == timestamp(0)',
    'google.protobuf.Int32Value{value: 7} + 1 == 8 && google.protobuf.UInt64Value{} == 0u',
    'google.protobuf.StringValue{value: "a"}.startsWith("a") && google.protobuf.BoolValue{} != null',
    'google.protobuf.FloatValue{value: 0.1} != 0.1 && google.protobuf.DoubleValue{value: 0.1} == 0.1',
    'type(google.protobuf.Struct{fields: {"a": 1}}.a) == double',
    'google.protobuf.ListValue{values: d.list}[0] == 1.0 && google.protobuf.ListValue{values: d.list}[1] == "x"',
    'google.protobuf.Value{struct_value: d.map}.a == [1.0] && google.protobuf.Value{list_value: [b"a"]} == ["YQ=="]',
    'google.protobuf.Value{} == null && google.protobuf.Value{null_value: google.protobuf.NullValue.NULL_VALUE} == null',
    'google.protobuf.ListValue{values: [9007199254740993]} == ["9007199254740993"]',
    'google.protobuf.ListValue{values: [duration("1s")]} == ["1s"] && google.protobuf.ListValue{values: [timestamp(0)]} == ["1970-01-01T00:00:00Z"]',
    'google.protobuf.Empty{} == google.protobuf.Empty{} && google.protobuf.NullValue.NULL_VALUE == 0',
    'google.protobuf.StringValue{?value: d.?text} == "x" && google.protobuf.StringValue{?value: d.?none} == ""',
  ])('%s', (expression) => {
    expect(run(expression)).toBe(true);
  });

  it.each([
    ['google.protobuf.Int32Value{value: 2147483648}', 'error: integer overflow'],
    ['google.protobuf.UInt32Value{value: 4294967296u}', 'error: unsigned integer overflow'],
    ['google.protobuf.Timestamp{seconds: d.big}', 'error: timestamp overflow'],
    ['google.protobuf.Duration{seconds: 0, nanos: d.big}', 'error: integer overflow'],
    [
      'google.protobuf.StringValue{value: d.big}',
      "error: field type conversion error for google.protobuf.StringValue.value value type: type conversion error from 'int' to 'string'",
    ],
    ['google.protobuf.ListValue{values: [int]}', "error: type conversion error from 'type' to 'google.protobuf.Value'"],
    [
      'google.protobuf.Value{struct_value: {1: 2}}',
      "expected type of field 'struct_value' is 'map(string, dyn)' but provided type is 'map(int, int)'",
    ],
    ['google.protobuf.Any{type_url: "x/y.Z"}', "error: google.protobuf.Any: no message of type 'x/y.Z' is known"],
    ['google.protobuf.BoolValue{value: 1}', "expected type of field 'value' is 'bool' but provided type is 'int'"],
    ['google.protobuf.BoolValue{values: true}', "undefined field 'values'"],
    ['google.protobuf.BoolValue{value: true}.value', "type 'wrapper(bool)' does not support field selection"],
    ['google.protobuf.FieldMask{}', "undeclared reference to 'google.protobuf.FieldMask' (in container '')"],
    ['google.protobuf.constructor{}', "undeclared reference to 'google.protobuf.constructor' (in container '')"],
    ['int{}', "'int' is not a message type"],
    ['d{}', "'dyn' is not a type"],
  ])('%s', (expression, message) => {
    expect(run(expression)).toBe(message);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../machinery/codec/errors.js';
import type { JsonValue } from '../../machinery/json.js';
import { InvalidResponse, readResponse } from './response.js';

const answer = (body: string) => ({ status: 200, contentType: 'application/json', body: Buffer.from(body) });
const review = (response: JsonValue, version = 'v1') =>
  JSON.stringify({ apiVersion: `admission.k8s.io/${version}`, kind: 'AdmissionReview', response });
const read = (body: string, mutating = false, version: 'v1' | 'v1beta1' = 'v1') =>
  readResponse(answer(body), version, 'u1', mutating);
const patch = Buffer.from('[{"op":"add","path":"/a","value":1}]').toString('base64');

describe('responses', () => {
  it('tell what the webhook decided', () => {
    const status = { code: 403, reason: 'No', message: 'no', details: { causes: [{ message: 'c' }] } };
    const response = { uid: 'u1', allowed: false, status, warnings: ['w'], auditAnnotations: { k: 'v' } };
    expect(read(review(response))).toMatchObject({
      allowed: false,
      status,
      warnings: ['w'],
      auditAnnotations: { k: 'v' },
    });
    const mutated = read(review({ uid: 'u1', allowed: true, patch, patchType: 'JSONPatch' }), true);
    expect(mutated).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
    expect(mutated.patch?.toString()).toBe('[{"op":"add","path":"/a","value":1}]');
  });

  it('may be YAML', () => {
    expect(
      read('apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nresponse: {uid: u1, allowed: true}\n').allowed,
    ).toBe(true);
  });

  it('of v1beta1 need neither uid nor patchType, and may carry a patch that nobody asked for', () => {
    expect(read(review({ allowed: true, patch }, 'v1beta1'), true, 'v1beta1').patchType).toBe('JSONPatch');
    expect(read(review({ allowed: true, patch }, 'v1beta1'), false, 'v1beta1').patch).toBeUndefined();
  });

  it.each<[string, JsonValue, boolean, string]>([
    ['of another request', { uid: 'x', allowed: true }, false, 'expected response.uid="u1", got "x"'],
    [
      'with a patch from a validating webhook',
      { uid: 'u1', patch },
      false,
      'validating webhook may not return response.patch',
    ],
    [
      'with its type',
      { uid: 'u1', patchType: 'JSONPatch' },
      false,
      'validating webhook may not return response.patchType',
    ],
    [
      'with a patch of no type',
      { uid: 'u1', patch },
      true,
      'webhook returned response.patch but not response.patchType',
    ],
    [
      'with a type and no patch',
      { uid: 'u1', patchType: 'JSONPatch' },
      true,
      'webhook returned response.patchType but not response.patch',
    ],
    [
      'with an empty type',
      { uid: 'u1', patch, patchType: '' },
      true,
      'webhook returned invalid response.patchType of ""',
    ],
    ['that are absent', null, false, 'webhook response was absent'],
  ])('are refused %s', (_, response, mutating, message) => {
    expect(() => read(review(response), mutating)).toThrow(new InvalidResponse(message));
  });

  it('are refused without kind and version, but only after their uid', () => {
    const expected = 'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ';
    expect(() => read('{"response":{"uid":"x"}}')).toThrow('expected response.uid="u1", got "x"');
    expect(() => read('{"response":{"uid":"u1"}}')).toThrow(`${expected}/, Kind=`);
    expect(() => read('{"kind":"AdmissionReview","response":{"uid":"u1"}}')).toThrow(
      `${expected}/, Kind=AdmissionReview`,
    );
  });

  it.each([
    ['', '0-length response with status code: 200 and content type: application/json'],
    ['{"a"', "couldn't get version/kind; json parse error: unexpected end of JSON input"],
    ['[]', "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct"],
    [
      '{"kind":1}',
      "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string",
    ],
    [
      '{"apiVersion":"v1","kind":"Pod"}',
      'no kind "Pod" is registered for version "v1" in scheme "pkg/util/webhook/client.go:71"',
    ],
    [
      review({ uid: 'u1' }, 'v1beta1'),
      'converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion',
    ],
    [
      review([]),
      'json: cannot unmarshal array into Go struct field AdmissionReview.response of type v1.AdmissionResponse',
    ],
    [
      review({ allowed: 'yes' }),
      'json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool',
    ],
    [review({ uid: 'u1', patch: '!' }), 'illegal base64 data at input byte 0'],
    [
      review({ uid: 'u1', warnings: [1] }),
      'json: cannot unmarshal number into Go struct field AdmissionResponse.response.warnings of type string',
    ],
  ])('are refused when they are no AdmissionReview: %s', (body, message) => {
    expect(() => read(body)).toThrow(DecodeError);
    expect(() => read(body)).toThrow(message);
  });

  it('never fail in any other way', () => {
    const json = fc.jsonValue().map((value) => value as JsonValue);
    fc.assert(
      fc.property(
        fc.oneof(
          json.map((v) => JSON.stringify(v)),
          json.map((v) => review(v)),
          fc.string(),
        ),
        fc.boolean(),
        (body, mutating) => {
          try {
            read(body, mutating);
          } catch (e) {
            expect(e instanceof DecodeError || e instanceof InvalidResponse).toBe(true);
          }
        },
      ),
      { interruptAfterTimeLimit: 2000 },
    );
  });
});

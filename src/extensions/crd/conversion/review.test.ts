import { describe, expect, it } from 'vitest';
import { reviewRequest } from './review.js';

describe('requests for conversion', () => {
  it('have objects with their members sorted, as Go writes maps', () => {
    const object = { kind: 'Thing', apiVersion: 'g/v1', metadata: { name: 'x', annotations: {} }, a: { c: 1, b: 2n } };
    expect(reviewRequest('v1', 'u"1', 'g/v2', [object])).toBe(
      '{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"u\\"1","desiredAPIVersion":"g/v2","objects":[{"a":{"b":2,"c":1},"apiVersion":"g/v1","kind":"Thing","metadata":{"annotations":{},"name":"x"}}]},"response":{"uid":"","convertedObjects":[],"result":{"metadata":{}}}}',
    );
  });
});

import { describe, expect, it } from 'vitest';
import {
  inputFormat,
  mediaOffers,
  mediaTypeOf,
  negotiate,
  noTransform,
  notAcceptable,
  producesOf,
  resourceTransform,
  routeConsumes,
  routeNotAcceptable,
  routeProduces,
  routeUnsupportedMediaType,
  wantsPretty,
} from './negotiate.js';

const offers = mediaOffers({ cbor: false });
const table = 'as=Table;v=v1;g=meta.k8s.io';
const pick = (accept: string | undefined, allows = resourceTransform({ builtIn: true, tables: true })) => {
  const found = negotiate(accept, offers, allows);
  return found && [found.offer.format, found.convert?.kind ?? ''].join(' ').trim();
};

describe('Accept', () => {
  it.each([
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['*', 'json'],
    ['application/*', 'json'],
    ['application/yaml', 'yaml'],
    ['application/json;q=0.1,application/yaml;q=0.9', 'yaml'],
    ['application/yaml;q=0.1, application/json', 'json'],
    ['*/*,application/yaml', 'yaml'],
    ['application/*, application/yaml', 'yaml'],
    ['application/json;q=0', 'json'],
    ['application/vnd.kubernetes.protobuf,application/json', 'protobuf'],
    ['text/html,application/json;q=0.9', 'json'],
    ['application/json;charset=utf-8', 'json'],
    ['application/json;stream=watch', 'json'],
    [`application/json;${table},application/json`, 'json Table'],
    [`application/json;${table};q=0.5,application/json`, 'json'],
    [`application/vnd.kubernetes.protobuf;${table},application/json;${table},application/json`, 'json Table'],
    ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', 'json'],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io',
      'protobuf PartialObjectMetadata',
    ],
  ])('%j takes %s', (accept, expected) => {
    expect(pick(accept)).toBe(expected);
  });
  it.each([
    'text/html',
    'garbage',
    'application',
    'application/',
    '/',
    ',',
    'application/json/x',
    'application/yaml;stream=watch',
    'application/json;stream=other',
    'application/json;sv=v2',
    'application/json;as=Table',
    `application/vnd.kubernetes.protobuf;${table}`,
    'application/json;as=Nonsense;v=v1;g=meta.k8s.io',
    'application/json;g=meta.k8s.io;v=v1',
    'application/JSON',
    'application/cbor',
  ])('%j takes nothing', (accept) => {
    expect(pick(accept)).toBeUndefined();
  });
  it('knows parameters beside the type', () => {
    expect(negotiate('application/json;pretty=1;profile=local', offers, noTransform)).toMatchObject({
      pretty: true,
      profile: 'local',
    });
    expect(pick(`application/json;${table}`, noTransform)).toBeUndefined();
  });
  it('offers what the kind has', () => {
    expect(offers.map((o) => o.format)).toEqual(['json', 'yaml', 'protobuf']);
    const custom = resourceTransform({ builtIn: false, tables: true });
    expect(pick('application/vnd.kubernetes.protobuf', custom)).toBeUndefined();
    expect(pick('application/vnd.kubernetes.protobuf,application/json', custom)).toBe('json');
    expect(pick('application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', custom)).toBe(
      'protobuf PartialObjectMetadata',
    );
    const answered = resourceTransform({ builtIn: true, tables: false });
    expect(pick(`application/json;${table}`, answered)).toBeUndefined();
    expect(pick(`application/json;${table},application/yaml`, answered)).toBe('yaml');
    const cbor = mediaOffers({ cbor: true });
    expect(negotiate('application/cbor', cbor, noTransform)?.offer.streamType).toBe('application/cbor-seq');
  });
  it('reads a header of any size', () => {
    expect(pick(Array.from({ length: 20_000 }, (_, i) => `a/b;q=0.${i}`).join(','))).toBeUndefined();
  });
});

it('refuses as upstream does', () => {
  expect(notAcceptable(offers).toStatus()).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message:
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    reason: 'NotAcceptable',
    code: 406,
  });
  expect(notAcceptable(offers, true).message).toBe(
    'only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
  );
  const route = routeNotAcceptable(producesOf(offers, true)).toStatus();
  expect(route.details).toEqual({});
  expect(route.message).toBe(
    '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
  );
  expect(routeUnsupportedMediaType().toStatus()).toMatchObject({ code: 415, message: '415: Unsupported Media Type' });
});

it('routes look at media types only', () => {
  const produces = producesOf(offers, false);
  expect(routeProduces('application/json;as=Nonsense', produces)).toBe(true);
  expect(routeProduces('text/html, */*;q=0.1', produces)).toBe(true);
  expect(routeProduces(undefined, produces)).toBe(true);
  expect(routeProduces('application/*', produces)).toBe(false);
  const patches = ['application/json-patch+json', 'application/merge-patch+json'];
  expect(routeConsumes('application/merge-patch+json; charset=utf-8', patches)).toBe(true);
  expect(routeConsumes('application/json', patches)).toBe(false);
  expect(routeConsumes(undefined, patches)).toBe(false);
});

describe('Content-Type', () => {
  it.each([
    [undefined, 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['application/JSON', 'json'],
    ['application/yaml;', 'yaml'],
    ['application/vnd.kubernetes.protobuf', 'protobuf'],
    ['application/json; a="b\\"c"', 'json'],
  ])('%j is %s', (type, expected) => {
    expect(inputFormat(type, offers)).toBe(expected);
  });
  it.each([
    'text/plain',
    'garbage',
    ';;;',
    '*/*',
    'application/json; x',
    'application/json, application/yaml',
    'application/cbor',
  ])('%j is refused', (type) => {
    expect(() => inputFormat(type, offers)).toThrow(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  });
  it('is read as a media type', () => {
    expect(mediaTypeOf('Text/HTML ; a=b')).toBe('text/html');
    expect(mediaTypeOf('a b')).toBe('');
  });
});

it('pretty print is for people', () => {
  expect(wantsPretty('true', undefined)).toBe(true);
  expect(wantsPretty('1', 'kubectl')).toBe(true);
  expect(wantsPretty('false', 'curl/8')).toBe(false);
  expect(wantsPretty('x', 'curl/8')).toBe(false);
  expect(wantsPretty('', 'curl/8')).toBe(true);
  expect(wantsPretty(undefined, 'Mozilla/5.0 (X11)')).toBe(true);
  expect(wantsPretty(undefined, 'Wget/1')).toBe(true);
  expect(wantsPretty(null, 'kubectl/v1.36')).toBe(false);
});

import { describe, expect, it } from 'vitest';
import { WebhookTransportError } from '../../../admission/webhook/client/client.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { webhookConverter } from './webhook.js';

const FROM = 'conversion webhook for g/v1, Kind=Thing';
const thing = (name: string, more: JsonObject = {}): KubeObject => ({
  apiVersion: 'g/v1',
  kind: 'Thing',
  metadata: { name, uid: `uid-${name}`, labels: { a: 'b' } },
  ...more,
});

/** The response to a request for conversion; a text is sent as it is. */
type Respond = (request: { uid: string; objects: KubeObject[]; desiredAPIVersion: string }) => object | string;
const success =
  (change: (object: KubeObject, i: number) => unknown): Respond =>
  ({ uid, objects, desiredAPIVersion }) => ({
    uid,
    result: { status: 'Success' },
    convertedObjects: objects.map((o, i) => change({ ...o, apiVersion: desiredAPIVersion }, i)),
  });

function converter(respond: Respond, reviewVersions = ['v1']) {
  const asked: { apiVersion: string; request: { objects: KubeObject[] } }[] = [];
  const client = {
    async post({ body }: { body: Buffer | string }) {
      const review = JSON.parse(String(body));
      asked.push(review);
      const response = respond(review.request);
      const { apiVersion, kind } = review;
      const text = typeof response === 'string' ? response : JSON.stringify({ apiVersion, kind, response });
      return { status: 200, contentType: 'application/json', body: Buffer.from(text), attempts: 1 };
    },
  };
  const config = { url: 'https://x' };
  return { ...webhookConverter({ config, reviewVersions }, { client, uuid: () => 'u' }), asked };
}

describe('a conversion webhook', () => {
  it.each(['v1', 'v1beta1'])('converts all but the metadata, as %s', async (version) => {
    const { convert, asked } = converter(
      success((o) => ({ ...o, spec: 'new', metadata: { ...o.metadata, labels: { c: 'd' }, generation: 9 } })),
      ['v9', version],
    );
    const [made] = await convert([thing('x', { spec: 'old' })], 'g/v2');
    expect(made).toMatchObject({ apiVersion: 'g/v2', kind: 'Thing', spec: 'new' });
    // Of the metadata only labels and annotations are the webhook's to change.
    expect(made!.metadata).toEqual({ name: 'x', uid: 'uid-x', labels: { c: 'd' } });
    expect(asked[0]!.apiVersion).toBe(`apiextensions.k8s.io/${version}`);
  });

  it('is asked only about what is of another version, in the order that things have', async () => {
    const { convert, asked } = converter(success((o) => ({ ...o, spec: 'new' })));
    const given = Array.from({ length: 250 }, (_, i) => thing(`t${i}`, i % 5 === 0 ? { apiVersion: 'g/v2' } : {}));
    const made = await convert(given, 'g/v2');
    expect(made.map((o) => o.metadata.name)).toEqual(given.map((o) => o.metadata.name));
    expect(made.filter((o) => o.spec === 'new')).toHaveLength(200);
    expect(asked.flatMap((a) => a.request.objects)).toHaveLength(200);
    expect(asked).toHaveLength(3);
  });

  it.each<[string, Respond, string]>([
    ['nothing', () => '', `${FROM} failed: 0-length response with status code: 200`],
    ['half an answer', () => '{"kind":', `${FROM} failed: couldn't get version/kind; json parse error`],
    ['another kind', () => '{"kind":"Pod","apiVersion":"v1"}', `${FROM} failed: no kind "Pod" is registered`],
    ['no response', () => '{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1"}', 'no response provided'],
    ['another uid', () => ({ uid: 'other', result: { status: 'Success' } }), 'expected response.uid="u", got "other"'],
    ['a failure', ({ uid }) => ({ uid, result: { status: 'Failure', message: 'no way' } }), `${FROM} failed: no way`],
    ['no result', ({ uid }) => ({ uid }), "response.result.status was '', not 'Success'"],
    ['fewer objects', ({ uid }) => ({ uid, result: { status: 'Success' } }), 'returned 0 objects, expected 1'],
    ['null', success(() => null), 'unexpected end of JSON input'],
    ['a list', success(() => []), 'json: cannot unmarshal array into Go value'],
    ['no kind', success(({ kind: _, ...o }) => o), "Object 'Kind' is missing in"],
    [
      'the version that it had',
      success((o) => ({ ...o, apiVersion: 'g/v1' })),
      `${FROM} returned invalid object at index 0: invalid groupVersion (expected g/v2, received g/v1)`,
    ],
    ['another kind of thing', success((o) => ({ ...o, kind: 'Other' })), '(expected Thing, received Other)'],
    ['another name', success((o) => ({ ...o, metadata: { ...o.metadata, name: 'y' } })), 'returned invalid object: '],
    ['another object', success((o) => ({ ...o, metadata: { ...o.metadata, uid: 'y' } })), 'returned invalid object: '],
    [
      'labels that are none',
      success((o) => ({ ...o, metadata: { ...o.metadata, labels: { '-': 'b' } } })),
      'returned invalid metadata: ',
    ],
  ])('that answers %s fails', async (_, respond, message) => {
    await expect(converter(respond).convert([thing('x')], 'g/v2')).rejects.toMatchObject({
      code: 500,
      message: expect.stringContaining(message),
    });
  });

  it('that can not be asked fails, and so does one that speaks no known version', async () => {
    const away = converter(() => {
      throw new WebhookTransportError('away', 1, false);
    });
    await expect(away.convert([thing('x')], 'g/v2')).rejects.toMatchObject({ message: `${FROM} failed: away` });
    const old = converter(() => '', ['v1alpha1']);
    await expect(old.convert([thing('x')], 'g/v2')).rejects.toThrow('no supported conversion review versions');
    expect(old.asked).toEqual([]);
  });
});

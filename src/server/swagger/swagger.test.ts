import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { notFoundRoute } from '../discovery/not-found.js';
import { routesHandler } from '../recorded.suite.js';
import type { InjectRequest } from '../transport/contract.js';
import { inject } from '../transport/inject.js';
import { INDEX, INITIALIZER } from './page.js';
import { swaggerRoute } from './route.js';

const handler = routesHandler([swaggerRoute(), notFoundRoute(() => false)]);
const get = (path: string, rest: Partial<InjectRequest> = {}) => inject(handler, { path, ...rest });

describe('Swagger UI', () => {
  it('is a page whose files are all here', async () => {
    const page = await get('/swagger-ui/');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(await page.text()).toBe(INDEX);
    const files = [...INDEX.matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1]!);
    expect(files).toHaveLength(6);
    for (const file of files) {
      const answer = await get(`/swagger-ui/${file}`);
      expect([answer.status, (await answer.body()).length > 100], file).toEqual([200, true]);
      expect(String(answer.headers['content-security-policy'])).toMatch(/^default-src 'none'/);
    }
    const moved = await get('/swagger-ui');
    expect([moved.status, moved.headers.location]).toEqual([301, '/swagger-ui/']);
  });

  it('names no other host', () => {
    expect(`${INDEX}${INITIALIZER}`).not.toMatch(/https?:/);
  });

  it('is read once by a browser', async () => {
    const first = await get('/swagger-ui/swagger-ui.css');
    const etag = String(first.headers.etag);
    const again = await get('/swagger-ui/swagger-ui.css', { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const zipped = await get('/swagger-ui/swagger-ui-bundle.js', { headers: { 'accept-encoding': 'gzip' } });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect((await zipped.body()).length).toBeLessThan(800_000);
  });

  it('offers the documents of all versions, and says so when there are none', async () => {
    const start = async (response: object) => {
      let options: { urls?: unknown } | undefined;
      const element = { textContent: '' };
      const bundle = Object.assign((o: object) => (options = o), { presets: { apis: {} } });
      runInNewContext(INITIALIZER, {
        fetch: async () => response,
        SwaggerUIBundle: bundle,
        SwaggerUIStandalonePreset: {},
        document: { getElementById: () => element },
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { options, text: element.textContent };
    };
    const paths = Object.fromEntries(
      ['api', 'api/v1', 'apis/apps', 'apis/apps/v1', 'openid/v1/jwks'].map((p) => [
        p,
        { serverRelativeURL: `/x/${p}` },
      ]),
    );
    const good = await start({ ok: true, json: async () => ({ paths }) });
    expect(good.options).toMatchObject({
      validatorUrl: 'none',
      urls: [
        { name: 'api/v1', url: '/x/api/v1' },
        { name: 'apis/apps/v1', url: '/x/apis/apps/v1' },
      ],
    });
    expect((await start({ ok: false, status: 403 })).text).toBe('No documents: /openapi/v3 answers 403');
  });

  it.each([
    ['GET', '/swagger-ui/../package.json', 404],
    ['GET', '/swagger-ui/%2e%2e/package.json', 404],
    ['GET', '/swagger-ui/package.json', 404],
    ['GET', '/swagger-ui/toString', 404],
    ['GET', '/swagger-ui//', 404],
    ['POST', '/swagger-ui/', 405],
    ['HEAD', '/swagger-ui/', 200],
  ])('%s %s is a %i', async (method, path, status) => {
    expect((await get(path, { method })).status).toBe(status);
  });
});
